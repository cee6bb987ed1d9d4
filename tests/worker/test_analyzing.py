from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from predella import db
from predella.models import (
    Analysis,
    Attempt,
    Image,
    Item,
    ItemState,
    Outcome,
    Release,
    Revision,
    Stage,
    Submission,
)
from predella.services import images
from predella.settings import Settings
from tests import factories
from tests.services import Bucket
from tests.worker import hand_in
from worker import analyzing
from worker.analyzing import EngineBrokenError
from worker.engine.errors import PromptError
from worker.engine.prompts import Prompt
from worker.engine.protocol import Answer, EngineFailure, Generation, Request
from worker.engine.trivial import TrivialEngine
from worker.images import PREPROCESSING
from worker.shift import Shift


class Watched(TrivialEngine):
    """A trivial engine that remembers its batches and does something else for some pictures."""

    def __init__(self, batch_size: int = 4, *, instead: Callable[[bytes], Answer | None]) -> None:
        super().__init__(batch_size=batch_size)
        self.batches: list[list[bytes]] = []
        self._instead = instead

    def _answers(self, batch: Sequence[Request]) -> list[Answer]:
        self.batches.append([one.picture for one in batch])
        usual = super()._answers(batch)
        return [
            self._instead(asked.picture) or one for asked, one in zip(batch, usual, strict=True)
        ]


class Choosy(TrivialEngine):
    """Cannot be asked for an alt text."""

    def render(self, prompt: Prompt) -> str:
        if prompt.id.startswith("alt-text/"):
            raise PromptError("it does not fit")
        return super().render(prompt)


def usual(_: bytes) -> None:
    return None


def run(s3: Bucket, settings: Settings, engine: TrivialEngine | None = None) -> None:
    analyzing.run(
        store=s3.store,
        engine=engine or TrivialEngine(batch_size=4),
        settings=settings,
        shift=Shift(60),
    )


def states(session: Session) -> dict[ItemState, int]:
    rows = session.execute(select(Item.state, func.count()).group_by(Item.state))
    return dict(rows.all())


def lose_one_commit(monkeypatch: pytest.MonkeyPatch, *, committed: bool) -> None:
    """Let the connection break once, before the commit or between the commit and its reply."""
    lost = iter([True])

    @contextmanager
    def transaction() -> Iterator[Session]:
        with db.transaction() as session:
            yield session
            if not committed and next(lost, False):
                raise OperationalError("COMMIT", {}, OSError("connection reset"))
        if committed and next(lost, False):
            raise OperationalError("COMMIT", {}, OSError("connection reset"))

    monkeypatch.setattr("worker.settle.db", SimpleNamespace(transaction=transaction))


class TestRun:
    def test_writes_one_analysis_for_each_item(
        self, session: Session, settings: Settings, s3: Bucket
    ) -> None:
        items = hand_in.ready(s3, 10)

        run(s3, settings)

        assert states(session) == {ItemState.DONE: 10}
        assert session.scalar(select(func.count()).select_from(Analysis)) == 10
        assert session.scalar(select(func.count()).select_from(Revision)) == 10
        for item in items:
            analysis = session.get_one(Analysis, hand_in.row(session, item.id).analysis_id)
            image = session.get_one(Image, item.image_id)
            assert (analysis.item_id, analysis.image_id) == (item.id, image.id)
            assert image.model_sha256.hex()[:8] in analysis.text
            assert analysis.timings.keys() == {"fetch", "generate"}
        release = session.scalars(select(Release)).one()
        assert release.notice
        assert release.spec["preprocessing"] == PREPROCESSING

    def test_shows_the_engine_full_batches_and_each_image_once(
        self, session: Session, settings: Settings, s3: Bucket
    ) -> None:
        items = hand_in.ready(s3, 8)
        with db.transaction() as own:
            for item in items[:3]:
                factories.item(
                    own,
                    own.get_one(Submission, item.submission_id),
                    stage=Stage.ANALYZE,
                    image_id=item.image_id,
                    next_attempt_at=func.now(),
                )
        engine = Watched(instead=usual)

        run(s3, settings, engine)

        shown = [png for batch in engine.batches for png in batch]
        assert len(shown) == len(set(shown)) == 8
        assert len(engine.batches[0]) == 4
        assert states(session) == {ItemState.DONE: 11}
        assert session.scalar(select(func.count()).select_from(Analysis)) == 8

    def test_fails_or_puts_back_only_what_the_engine_could_not_write(
        self, session: Session, settings: Settings, s3: Bucket
    ) -> None:
        blank, broken, *_ = hand_in.ready(s3, 4)
        blank_png, broken_png = hand_in.picture(0), hand_in.picture(1)
        empty = TrivialEngine(batch_size=1).generate([blank_png])[0]
        assert isinstance(empty, Generation)

        def instead(png: bytes) -> Answer | None:
            if png == broken_png:
                return EngineFailure("not_finite", "The model lost its numbers.")
            return replace(empty, text=" \n") if png == blank_png else None

        run(s3, settings, Watched(instead=instead))

        row = hand_in.row(session, blank.id)
        assert (row.state, row.error_code) == (ItemState.FAILED, "empty_text")
        row = hand_in.row(session, broken.id)
        assert (row.state, row.attempt) == (ItemState.WAITING, 1)
        assert states(session)[ItemState.DONE] == 2

    def test_puts_a_batch_back_and_gives_the_rest_back_when_the_engine_breaks(
        self, session: Session, settings: Settings, s3: Bucket
    ) -> None:
        hand_in.ready(s3, 12)

        def instead(_: bytes) -> None:
            raise RuntimeError("CUDA error: an illegal memory access was encountered")

        with pytest.raises(EngineBrokenError):
            run(s3, settings, Watched(instead=instead))

        assert states(session) == {ItemState.WAITING: 12}
        assert session.scalar(select(func.count()).where(Item.attempt == 1)) == 4
        outcomes = session.execute(select(Attempt.outcome, func.count()).group_by(Attempt.outcome))
        assert dict(outcomes.all()) == {Outcome.RETRY: 4, Outcome.RELEASED: 8}

    def test_prepares_again_what_is_damaged_or_of_another_preprocessing(
        self, session: Session, settings: Settings, s3: Bucket
    ) -> None:
        damaged, outdated, missing = hand_in.ready(s3, 3)
        with db.transaction() as own:
            own.get_one(Image, outdated.image_id).preprocessing = "older"
            for item, act in ((damaged, "put_object"), (missing, "delete_object")):
                image = own.get_one(Image, item.image_id)
                key = images.model_key(image.collection_id, image.sha256, PREPROCESSING)
                body = {"Body": b"damaged"} if act == "put_object" else {}
                getattr(s3.client, act)(Bucket=s3.name, Key=key, **body)

        run(s3, settings)

        for item in (damaged, outdated, missing):
            row = hand_in.row(session, item.id)
            assert (row.stage, row.state, row.attempt) == (Stage.PREPARE, ItemState.WAITING, 0)

    def test_takes_suspects_one_by_one_while_nothing_else_is_in_hand(
        self, session: Session, settings: Settings, s3: Bucket
    ) -> None:
        hand_in.ready(s3, 3, attempt=1)
        hand_in.ready(s3, 4)
        engine = Watched(instead=usual)

        run(s3, settings, engine)

        assert [len(batch) for batch in engine.batches[:3]] == [1, 1, 1]
        assert states(session) == {ItemState.DONE: 7}


class TestPrompts:
    def test_writes_each_image_once_for_each_prompt_under_its_own_release(
        self, session: Session, settings: Settings, s3: Bucket
    ) -> None:
        (first, *_) = hand_in.ready(s3, 3)
        with db.transaction() as own:
            for prompt_id in ("sectioned/1", "sectioned/1", "alt-text/1"):
                factories.item(
                    own,
                    own.get_one(Submission, first.submission_id),
                    stage=Stage.ANALYZE,
                    image_id=first.image_id,
                    prompt_id=prompt_id,
                    next_attempt_at=func.now(),
                )

        run(s3, settings)

        assert states(session) == {ItemState.DONE: 6}
        written = session.execute(
            select(Release.prompt_id, func.count())
            .join(Analysis, Analysis.release_id == Release.id)
            .group_by(Release.prompt_id)
        )
        assert dict(written.all()) == {"formal-analysis/1": 3, "sectioned/1": 1, "alt-text/1": 1}
        texts = select(Analysis.text).join(Release).where(Release.prompt_id == "sectioned/1")
        assert session.scalars(texts).one().startswith("Line\n\nA picture of ")
        given = select(Item.prompt_id, Release.prompt_id).join(
            Analysis, Analysis.id == Item.analysis_id
        )
        pairs = session.execute(given.join(Release, Release.id == Analysis.release_id)).all()
        assert all(asked == answered for asked, answered in pairs)

    def test_fails_what_the_model_cannot_be_asked_and_nothing_else(
        self, session: Session, settings: Settings, s3: Bucket
    ) -> None:
        (refused,) = hand_in.ready(s3, 1, prompt_id="alt-text/1")
        hand_in.ready(s3, 2)

        run(s3, settings, Choosy(batch_size=4))

        row = hand_in.row(session, refused.id)
        assert (row.state, row.error_code) == (ItemState.FAILED, "prompt_refused")
        assert "alt-text/1" in str(row.error)
        assert states(session)[ItemState.DONE] == 2


class TestDatabaseAway:
    def test_keeps_what_was_written_until_the_database_is_back(
        self,
        session: Session,
        settings: Settings,
        s3: Bucket,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        hand_in.ready(s3, 4)
        engine = Watched(instead=usual)
        lose_one_commit(monkeypatch, committed=False)

        run(s3, settings, engine)

        assert len(engine.batches) == 1
        assert states(session) == {ItemState.DONE: 4}

    def test_writes_again_nothing_whose_commit_lost_only_its_reply(
        self,
        session: Session,
        settings: Settings,
        s3: Bucket,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        hand_in.ready(s3, 4)
        lose_one_commit(monkeypatch, committed=True)

        run(s3, settings)

        assert states(session) == {ItemState.DONE: 4}
        assert session.scalar(select(func.count()).select_from(Analysis)) == 4
