import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace
from uuid import UUID

import pytest
from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from predella import db
from predella.ids import AnalysisId, CollectionId
from predella.models import (
    Account,
    Analysis,
    Attempt,
    Client,
    Image,
    Item,
    ItemState,
    Outcome,
    RejectionReason,
    Release,
    Revision,
    Run,
    Stage,
    Submission,
)
from predella.services import drafts, gates, images, regenerations, reviews
from predella.services.gates import Change
from predella.settings import Settings
from predella.storage import Store
from tests import factories
from tests.services import Bucket
from tests.worker import hand_in
from tests.worker.engines import Streaming, Watched
from worker import analyzing, rounds
from worker import shift as shifts
from worker.engine.errors import PromptError
from worker.engine.prompts import Prompt
from worker.engine.protocol import Answer, EngineFailure, Generation
from worker.engine.trivial import TrivialEngine
from worker.images import PREPROCESSING
from worker.rounds import EngineBrokenError
from worker.shift import Shift


class Choosy(TrivialEngine):
    """Cannot be asked for an alt text."""

    def render(self, prompt: Prompt) -> str:
        if prompt.id.startswith("alt-text/"):
            raise PromptError("it does not fit")
        return super().render(prompt)


def broken(_: list[bytes]) -> None:
    raise RuntimeError("CUDA error: an illegal memory access was encountered")


def usual(_: bytes) -> None:
    return None


def slowly(_: bytes) -> None:
    time.sleep(0.1)


def run(s3: Bucket, settings: Settings, engine: TrivialEngine | None = None) -> None:
    analyzing.run(
        store=s3.store,
        engine=engine or TrivialEngine(batch_size=4),
        settings=settings,
        shift=Shift(60),
    )


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def number_of(*conditions: ColumnElement[bool]) -> int:
    """Count items as everybody else sees them."""
    with db.transaction() as session:
        return session.scalar(select(func.count()).select_from(Item).where(*conditions)) or 0


def take_away(item: Item) -> None:
    """Give an item to somebody else, as the sweep and another worker would."""
    with db.transaction() as session:
        session.execute(
            text(
                "UPDATE item SET lease_token = gen_random_uuid(),"
                " lease_until = now() + interval '1 h' WHERE id = :id"
            ),
            {"id": item.id},
        )


def again(item: Item) -> None:
    """Hand in the same image once more, prepared already."""
    with db.transaction() as session:
        factories.item(
            session,
            session.get_one(Submission, item.submission_id),
            stage=Stage.ANALYZE,
            image_id=item.image_id,
            next_attempt_at=func.now(),
        )


def _close(item: Item) -> None:
    with db.transaction() as session:
        gates.change(
            session,
            CollectionId(item.collection_id),
            item.object_number,
            Change(ai_processing=False),
            account=factories.account(session),
            reason="the artist's estate asked for it",
        )


def ask_again(session: Session, analysis_id: UUID | None) -> UUID:
    """Ask for a new text as a curator would; return whose wish it is."""
    assert analysis_id is not None
    account = factories.account(session)
    regenerations.ask(
        session,
        AnalysisId(analysis_id),
        revision_number=0,
        account=account,
        client=Client.DESK,
        reason=RejectionReason.COLOUR,
    )
    return account.id


def states(session: Session) -> dict[ItemState, int]:
    rows = session.execute(select(Item.state, func.count()).group_by(Item.state))
    return dict(rows.all())


def slow_down(monkeypatch: pytest.MonkeyPatch, *, seconds: float) -> None:
    """Let every reading from the store take longer."""
    read = Store.read

    def slowly(store: Store, bucket: str, key: str) -> bytes:
        time.sleep(seconds)
        return read(store, bucket, key)

    monkeypatch.setattr(Store, "read", slowly)


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
        for item in items[:3]:
            again(item)
        engine = Watched(instead=slowly)

        run(s3, settings, engine)

        shown = [png for batch in engine.batches for png in batch]
        assert len(shown) == len(set(shown)) == 8
        assert len(engine.batches[1]) == 4
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

        engine = Watched(instead=instead)
        with pytest.raises(EngineBrokenError):
            run(s3, settings, engine)

        (broken,) = engine.batches
        assert states(session) == {ItemState.WAITING: 12}
        assert session.scalar(select(func.count()).where(Item.attempt == 1)) == len(broken)
        outcomes = session.execute(select(Attempt.outcome, func.count()).group_by(Attempt.outcome))
        ended = dict(outcomes.all())
        assert ended.pop(Outcome.RETRY) == len(broken)
        assert set(ended) <= {Outcome.RELEASED}

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

    def test_takes_no_picture_for_exact_that_was_not_prepared_so(
        self, session: Session, settings: Settings, s3: Bucket
    ) -> None:
        (usual,) = hand_in.ready(s3, 1)

        run(s3, settings.model_copy(update={"exact_prepare": True}))

        row = hand_in.row(session, usual.id)
        assert (row.stage, row.state) == (Stage.PREPARE, ItemState.WAITING)

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


class TestFurtherSamples:
    def test_are_written_for_whoever_asked_while_others_wait_their_turn(
        self, session: Session, settings: Settings, s3: Bucket
    ) -> None:
        items = hand_in.ready(s3, 3)
        run(s3, settings)
        asked = [hand_in.row(session, item.id).analysis_id for item in items[:2]]
        with db.transaction() as own:
            for analysis_id in asked:
                ask_again(own, analysis_id)
        again(items[2])

        run(s3, settings)

        assert states(session) == {ItemState.DONE: 4}
        for item, old in zip(items, asked, strict=False):
            written = session.get_one(Analysis, hand_in.row(session, item.id).analysis_id)
            before = session.get_one(Analysis, old)
            assert (written.sample, written.seed) == (1, 1)
            assert written.text == f"{before.text} This is sample 1."
            assert written.release_id != before.release_id
        assert session.scalar(select(func.count()).select_from(Analysis)) == 5

    def test_are_dropped_when_the_wish_is_withdrawn_while_the_model_is_at_it(
        self, session: Session, settings: Settings, s3: Bucket
    ) -> None:
        (item,) = hand_in.ready(s3, 1)
        run(s3, settings)
        old = session.scalars(select(Analysis.id)).one()
        with db.transaction() as own:
            account = ask_again(own, old)

        def withdraw(_: bytes) -> None:
            with db.transaction() as own:
                by = own.get_one(Account, account)
                reviews.undo(own, AnalysisId(old), account=by, client=Client.DESK)

        run(s3, settings, Watched(instead=withdraw))

        row = hand_in.row(session, item.id)
        assert (row.state, row.analysis_id) == (ItemState.DONE, old)
        assert session.scalar(select(func.count()).select_from(Analysis)) == 1
        assert session.scalars(select(Attempt.outcome).order_by(Attempt.id)).all() == [
            Outcome.DONE,
            Outcome.RELEASED,
        ]


class TestStreaming:
    def test_keeps_the_engine_full_across_claims_while_the_store_is_slow(
        self, settings: Settings, s3: Bucket, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hand_in.ready(s3, 48)
        slow_down(monkeypatch, seconds=0.05)
        engine = Streaming(6, steps=lambda png: 3 + sum(png) % 5, seconds=0.1)

        run(s3, settings, engine)

        seen, last_came = set[bytes](), 0
        for step, inside in enumerate(engine.history):
            last_came = last_came if seen.issuperset(inside) else step
            seen.update(inside)
        counts = [len(inside) for inside in engine.history]
        assert len(seen) == 48
        assert set(counts[counts.index(6) : last_came]) == {6}

    def test_records_what_is_finished_while_the_rest_is_still_in_the_engine(
        self, settings: Settings, s3: Bucket
    ) -> None:
        hand_in.ready(s3, 3)
        held_up, came = hand_in.picture(2), set[bytes]()

        def before(inside: list[bytes]) -> None:
            came.update(inside)
            if inside == [held_up] and len(came) == 3:
                until(lambda: number_of(Item.state == ItemState.DONE) == 2)

        engine = Streaming(
            steps=lambda png: 40 if png == held_up else 1, before=before, seconds=0.05
        )

        run(s3, settings, engine)

        assert number_of(Item.state == ItemState.DONE) == 3
        assert [held_up] in engine.history

    def test_writes_once_about_an_image_that_comes_again_while_it_is_in_the_engine(
        self, session: Session, settings: Settings, s3: Bucket
    ) -> None:
        (first,) = hand_in.ready(s3, 1)
        coming = iter([first, first])

        def before(_: list[bytes]) -> None:
            if (item := next(coming, None)) is not None:
                again(item)
                until(lambda: number_of(Item.state == ItemState.WAITING) == 0)

        engine = Streaming(steps=lambda _: 3, before=before)

        run(s3, settings, engine)

        assert len(engine.history) == 3
        assert all(len(inside) == 1 for inside in engine.history)
        assert states(session) == {ItemState.DONE: 3}
        analysis = session.scalars(select(Analysis)).one()
        assert set(session.scalars(select(Item.analysis_id))) == {analysis.id}
        assert set(session.scalars(select(Attempt.outcome))) == {Outcome.DONE}

    def test_stops_work_on_what_was_taken_away_and_on_nothing_else(
        self, session: Session, settings: Settings, s3: Bucket
    ) -> None:
        (lost,) = hand_in.ready(s3, 1)
        steps = iter([10_000])

        def before(_: list[bytes]) -> None:
            if len(engine.history) == 1:
                hand_in.ready(s3, 2)
                take_away(lost)
            time.sleep(0.02)

        engine = Streaming(steps=lambda _: next(steps, 5), before=before)
        brief = settings.model_copy(update={"lease_seconds": 0.6})

        run(s3, brief, engine)

        assert len(engine.cancelled) == 1
        assert hand_in.row(session, lost.id).state is ItemState.LEASED
        assert states(session) == {ItemState.LEASED: 1, ItemState.DONE: 2}

    def test_stops_work_on_an_object_that_is_closed_while_the_rest_of_its_claim_goes_on(
        self, session: Session, settings: Settings, s3: Bucket
    ) -> None:
        closed, *_ = hand_in.ready(s3, 3)

        def before(_: list[bytes]) -> None:
            if len(engine.history) == 1:
                _close(closed)
            time.sleep(0.02)

        engine = Streaming(steps=lambda _: 200, before=before)
        brief = settings.model_copy(update={"lease_seconds": 0.6})

        run(s3, brief, engine)

        assert len(engine.cancelled) == 1
        assert hand_in.row(session, closed.id).state is ItemState.WITHHELD
        assert states(session) == {ItemState.WITHHELD: 1, ItemState.DONE: 2}
        outcomes = session.scalars(select(Attempt.outcome).order_by(Attempt.outcome)).all()
        assert outcomes == [Outcome.DONE, Outcome.DONE, Outcome.LOST]

    def test_two_at_once_share_the_work(
        self, session: Session, settings: Settings, s3: Bucket
    ) -> None:
        hand_in.ready(s3, 24)
        engines = [Streaming(2, seconds=0.02) for _ in range(2)]

        others = [threading.Thread(target=run, args=(s3, settings, one)) for one in engines]
        for other in others:
            other.start()
        for other in others:
            other.join()

        shown = [png for one in engines for inside in one.history for png in inside]
        assert len(shown) == len(set(shown)) == 24
        assert states(session) == {ItemState.DONE: 24}

    def test_leaves_no_trace_when_there_is_nothing_to_do(
        self, session: Session, settings: Settings, s3: Bucket
    ) -> None:
        engine = Streaming()

        run(s3, settings, engine)

        assert engine.history == []
        assert session.scalars(select(Run)).all() == []


class TestStop:
    @pytest.fixture(autouse=True)
    def _nobody_was_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(shifts, "_told", threading.Event())

    def test_finishes_what_the_model_has_and_gives_the_rest_back_uncounted(
        self, session: Session, settings: Settings, s3: Bucket
    ) -> None:
        hand_in.ready(s3, 12)

        def before(inside: list[bytes]) -> None:
            if len(inside) == 4:
                shifts._told.set()

        engine = Streaming(4, steps=lambda _: 3, before=before)

        run(s3, settings, engine)

        written = {png for inside in engine.history for png in inside}
        assert len(written) < 12
        assert states(session) == {
            ItemState.DONE: len(written),
            ItemState.WAITING: 12 - len(written),
        }
        assert number_of(Item.state == ItemState.WAITING, Item.attempt > 0) == 0

    def test_gives_back_what_takes_too_long_and_leaves_the_engine_empty(
        self,
        session: Session,
        settings: Settings,
        s3: Bucket,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        hand_in.ready(s3, 3)
        monkeypatch.setattr(rounds, "_GRACE_SECONDS", 0.1)
        engine = Streaming(
            steps=lambda _: 10_000, before=lambda _: shifts._told.set(), seconds=0.01
        )

        run(s3, settings, engine)

        assert engine.is_idle
        assert engine.cancelled
        assert states(session) == {ItemState.WAITING: 3}
        assert number_of(Item.attempt > 0) == 0


class TestRecord:
    def test_tells_what_the_run_did(self, session: Session, settings: Settings, s3: Bucket) -> None:
        first, *_ = hand_in.ready(s3, 6)
        again(first)
        blank = hand_in.picture(3)
        engine = Watched(
            2, instead=lambda png: EngineFailure("no", "No.") if png == blank else None
        )

        run(s3, settings, engine)

        told = session.scalars(select(Run)).one()
        assert (told.model_name, told.device, told.batch_size) == ("trivial", "cpu", 2)
        assert (told.images, told.duplicates, told.failed) == (5, 1, 1)
        assert told.tokens == session.scalar(select(func.sum(Analysis.output_tokens)))
        assert told.ended_at == told.updated_at >= told.created_at
        assert 0 < told.occupied_seconds <= told.engine_seconds

    def test_counts_as_starved_what_a_slow_store_costs(
        self,
        session: Session,
        settings: Settings,
        s3: Bucket,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        hand_in.ready(s3, 4)
        slow_down(monkeypatch, seconds=1)

        run(s3, settings, Streaming(4))

        assert session.scalars(select(Run.starved_seconds)).one() > 0.9

    def test_does_not_count_as_starved_that_the_last_are_few(
        self, session: Session, settings: Settings, s3: Bucket
    ) -> None:
        hand_in.ready(s3, 1)

        run(s3, settings, Streaming(4, steps=lambda _: 20, seconds=0.1))

        told = session.scalars(select(Run)).one()
        assert told.starved_seconds < told.engine_seconds / 2
        assert told.occupied_seconds == pytest.approx(told.engine_seconds / 4)

    def test_is_kept_when_the_engine_breaks(
        self, session: Session, settings: Settings, s3: Bucket
    ) -> None:
        hand_in.ready(s3, 2)

        with pytest.raises(EngineBrokenError):
            run(s3, settings, Streaming(before=broken))

        assert session.scalars(select(Run)).one().ended_at is not None


class TestBroken:
    def test_surfaces_what_breaks_the_recording_and_gives_everything_back(
        self, session: Session, settings: Settings, s3: Bucket, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hand_in.ready(s3, 8)
        monkeypatch.setattr(drafts, "record", lambda *_, **__: 1 // 0)
        engine = Streaming(2, steps=lambda _: 5, seconds=0.01)

        with pytest.raises(ZeroDivisionError):
            run(s3, settings, engine)

        assert engine.is_idle
        assert states(session) == {ItemState.WAITING: 8}
        assert number_of(Item.attempt > 0) == 0


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

        assert sum(map(len, engine.batches)) == 4
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
