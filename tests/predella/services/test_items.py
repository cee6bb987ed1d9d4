from typing import Any

import pytest
from sqlalchemy.orm import Session

from predella import clock, db, ids, queue
from predella.errors import InvalidError
from predella.ids import CollectionId, ItemId, SubmissionId
from predella.models import Collection, Image, Item, ItemState, Sensitivity, Stage, Submission
from predella.services import items
from predella.services.items import Failure, Progress
from tests import factories


@pytest.fixture
def collection(session: Session) -> Collection:
    return factories.collection(session)


@pytest.fixture
def submission(session: Session, collection: Collection) -> Submission:
    return factories.submission(session, collection)


@pytest.fixture
def image(session: Session, collection: Collection) -> Image:
    return factories.image(session, collection)


def _failed(session: Session, within: Submission, code: str = "gave_up", **fields: Any) -> Item:
    failed = {"state": ItemState.FAILED, "error_code": code, "error": f"{code}, sadly"}
    return factories.item(session, within, attempt=4, finished_at=clock.now(), **failed | fields)


def _leased(session: Session, within: Submission, **fields: Any) -> Item:
    lease = {"lease_token": ids.new(), "lease_until": clock.now(), "lease_owner": "worker"}
    return factories.item(session, within, state=ItemState.LEASED, **lease | fields)


class TestProgress:
    def test_counts_every_item_once(
        self, session: Session, submission: Submission, image: Image
    ) -> None:
        factories.item(session, submission)
        _leased(session, submission)
        factories.item(session, submission, stage=Stage.ANALYZE, image_id=image.id)
        _leased(session, submission, stage=Stage.ANALYZE, image_id=image.id)
        _leased(session, submission, stage=Stage.ANALYZE, image_id=image.id)
        factories.analysis(session, factories.item(session, submission))
        kept = {"is_primary": False, "state": ItemState.DONE, "image_id": image.id}
        factories.item(session, submission, **kept)
        factories.item(session, submission, state=ItemState.WITHHELD, ai_processing=False)
        _failed(session, submission)
        factories.item(session)

        counted = items.progress(session, SubmissionId(submission.id))

        assert counted == Progress(
            preparing=2, analyzing=3, analyzed=1, kept=1, failed=1, withheld=1
        )
        assert (counted.total, counted.running, counted.done, counted.prepared) == (9, 5, 3, 5)

    def test_of_nothing_is_nothing(self, session: Session, submission: Submission) -> None:
        assert items.progress(session, SubmissionId(submission.id)).total == 0


class TestFailures:
    def test_come_by_their_reason_the_most_frequent_first(
        self, session: Session, submission: Submission
    ) -> None:
        for code in ("too_large", "gave_up", "gave_up"):
            _failed(session, submission, code)

        assert items.failures(session, SubmissionId(submission.id)) == [
            Failure("gave_up", 2, "gave_up, sadly"),
            Failure("too_large", 1, "too_large, sadly"),
        ]


class TestListed:
    def test_pages_go_on_after_the_last_one_seen(
        self, session: Session, submission: Submission
    ) -> None:
        made = [factories.item(session, submission) for _ in range(3)]
        factories.item(session)
        of = SubmissionId(submission.id)

        first = items.listed(session, submission_id=of, limit=2)
        rest = items.listed(session, submission_id=of, after=first[-1].id, limit=2)

        assert [*first, *rest] == made

    def test_may_be_of_one_state_in_a_whole_collection(
        self, session: Session, collection: Collection, submission: Submission
    ) -> None:
        factories.item(session, submission)
        failed = [
            _failed(session, within)
            for within in (submission, factories.submission(session, collection))
        ]
        _failed(session, factories.submission(session))

        found = items.listed(
            session, collection_id=CollectionId(collection.id), state=ItemState.FAILED
        )

        assert list(found) == failed


class TestRequeue:
    def test_starts_again_from_the_stage_that_failed(
        self, session: Session, submission: Submission, image: Image
    ) -> None:
        item = _failed(session, submission, stage=Stage.ANALYZE, image_id=image.id)

        assert items.requeue(session, submission_id=SubmissionId(submission.id)) == 1

        session.refresh(item)
        assert (item.stage, item.state, item.attempt) == (Stage.ANALYZE, ItemState.WAITING, 0)
        assert (item.error_code, item.error, item.finished_at) == (None, None, None)

    def test_leaves_what_cannot_succeed_or_did_not_fail(
        self, session: Session, submission: Submission
    ) -> None:
        _failed(session, submission, "source_changed")
        _failed(session, submission, sensitivity=Sensitivity.RESTRICTED)
        _failed(session, submission, ai_processing=False)
        _failed(session, factories.submission(session))
        leased = _leased(session, submission, attempt=2)

        assert items.requeue(session, submission_id=SubmissionId(submission.id)) == 0

        session.refresh(leased)
        assert (leased.state, leased.attempt) == (ItemState.LEASED, 2)

    def test_may_be_of_some_codes_or_some_items(
        self, session: Session, submission: Submission
    ) -> None:
        _failed(session, submission, "too_large")
        chosen = _failed(session, submission)
        _failed(session, submission)
        of = SubmissionId(submission.id)

        assert items.requeue(session, submission_id=of, codes=["too_large", "no_such"]) == 1
        assert items.requeue(session, item_ids=[ItemId(chosen.id)]) == 1
        assert items.requeue(session, submission_id=of) == 1

    def test_needs_something_named(self, session: Session) -> None:
        with pytest.raises(InvalidError):
            items.requeue(session, codes=["gave_up"])

    @pytest.mark.usefixtures("settings")
    def test_wakes_the_workers_of_those_stages(self, monkeypatch: pytest.MonkeyPatch) -> None:
        rung: list[str] = []
        monkeypatch.setattr(queue, "ring", rung.append)

        with db.transaction() as session:
            item = _failed(session, factories.submission(session))
            items.requeue(session, item_ids=[ItemId(item.id)])

        assert rung == [queue.PREPARE]
