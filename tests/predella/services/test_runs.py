from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from predella import clock
from predella.ids import RunId, SubmissionId
from predella.models import Image, Item, ItemState, Run, Stage, Submission
from predella.services import runs
from predella.services.runs import Work
from tests import factories

DONE = Work(
    images=80,
    duplicates=15,
    failed=5,
    tokens=4000,
    engine_seconds=16.0,
    occupied_seconds=12.0,
    starved_seconds=2.0,
)


def started(session: Session, *, worker: str = "here:1", model_name: str = "gallery") -> RunId:
    return runs.start(session, worker=worker, model_name=model_name, device="cpu", batch_size=8)


def told(
    session: Session, *, seconds: float = 20, ago: float = 0, work: Work = DONE, **fields: str
) -> RunId:
    """A run that has gone on for so long and told of it so many seconds ago."""
    run_id = started(session, **fields)
    runs.progress(session, run_id, work)
    when = clock.now() - timedelta(seconds=ago)
    session.execute(
        update(Run)
        .where(Run.id == run_id)
        .values(updated_at=when, created_at=when - timedelta(seconds=seconds))
    )
    session.expire_all()
    return run_id


def to_analyze(session: Session, within: Submission, image: Image, **fields: Any) -> Item:
    return factories.item(session, within, stage=Stage.ANALYZE, image_id=image.id, **fields)


class TestRecord:
    def test_begins_with_nothing_done(self, session: Session) -> None:
        run_id = started(session)

        run = session.get_one(Run, run_id)
        assert (run.images, run.tokens, run.starved_seconds, run.ended_at) == (0, 0, 0, None)
        assert run.updated_at == run.created_at

    def test_tells_what_was_done_last_and_when_it_was_over(self, session: Session) -> None:
        run_id = told(session, work=Work(images=1))

        runs.end(session, run_id, DONE)

        session.expire_all()
        run = session.get_one(Run, run_id)
        assert (run.images, run.duplicates, run.failed, run.tokens) == (80, 15, 5, 4000)
        assert run.ended_at == run.updated_at


class TestRecent:
    def test_says_how_fast_each_worker_is(self, session: Session) -> None:
        told(session)

        (run,) = runs.recent(session)

        assert run.images_per_second == pytest.approx(4)
        assert run.items_per_second == pytest.approx(5)
        assert run.tokens_per_second == pytest.approx(200)
        assert run.starved == pytest.approx(0.1)
        assert run.occupancy == pytest.approx(0.75)

    def test_knows_the_newest_run_of_a_worker_and_forgets_who_fell_silent(
        self, session: Session
    ) -> None:
        told(session, worker="a:1")
        newest = told(session, worker="a:1")
        told(session, worker="b:1", ago=300)

        assert [run.id for run in runs.recent(session)] == [newest]

    def test_has_a_rate_for_what_has_hardly_begun(self, session: Session) -> None:
        told(session, seconds=0, work=Work(images=3))

        (run,) = runs.recent(session)

        assert (run.images_per_second, run.occupancy) == (3, 0)


class TestLatest:
    def test_begins_with_the_newest(self, session: Session) -> None:
        ids = [told(session, worker=f"{name}:1") for name in "abc"]

        assert [run.id for run in runs.latest(session, limit=2)] == ids[:0:-1]


class TestTotals:
    def test_adds_up_all_runs_of_a_model(self, session: Session) -> None:
        told(session)
        told(session, ago=10_000)
        told(session, model_name="other", work=Work(images=1))

        totals = runs.totals(session)

        assert totals["gallery"] == DONE + DONE
        assert totals["other"].images == 1


class TestOutlook:
    def test_divides_what_is_left_by_how_fast_all_workers_are(self, session: Session) -> None:
        within, image = _with_image(session)
        for _ in range(30):
            to_analyze(session, within, image)
        factories.item(session, within)
        told(session, worker="a:1")
        told(session, worker="b:1")
        runs.end(session, told(session, worker="c:1"), DONE)

        outlook = runs.outlook(session)

        assert (outlook.workers, outlook.images_left) == (2, 30)
        assert outlook.images_per_second == pytest.approx(8)
        assert outlook.seconds_left == pytest.approx(3)

    def test_counts_for_a_submission_what_comes_before_it(self, session: Session) -> None:
        image = factories.image(session)
        earlier, mine, later = (_of(session, image) for _ in range(3))
        for within in (earlier, mine, later):
            to_analyze(session, within, image)
        to_analyze(session, later, image, priority=1)
        to_analyze(session, earlier, image, state=ItemState.FAILED, error_code="x", error="X.")

        outlook = runs.outlook(session, SubmissionId(mine.id))

        assert outlook.images_left == 3
        assert outlook.seconds_left is None

    def test_has_nothing_left_for_a_submission_that_is_done(self, session: Session) -> None:
        told(session)
        to_analyze(session, *_with_image(session))
        done = factories.submission(session)

        outlook = runs.outlook(session, SubmissionId(done.id))

        assert (outlook.images_left, outlook.seconds_left) == (0, None)


def _of(session: Session, image: Image) -> Submission:
    return factories.submission(session, collection_id=image.collection_id)


def _with_image(session: Session) -> tuple[Submission, Image]:
    image = factories.image(session)
    return _of(session, image), image


class TestLastRate:
    def test_is_that_of_the_last_run_that_wrote_anything(self, session: Session) -> None:
        assert runs.last_rate(session) is None
        for images in (30, 0):
            run_id = runs.start(session, worker="w", model_name="m", device="cpu", batch_size=1)
            runs.end(session, run_id, Work(images=images))

        # Less than a second is no rate: it counts as one.
        assert runs.last_rate(session) == 30
