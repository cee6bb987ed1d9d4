"""The ledger as a model of a few lines, and Hypothesis to find where the real one differs.

Workers claim, finish, fail, fall silent and wake up again in every order. The model knows who
holds each item; the database must agree after every step.
"""

from dataclasses import dataclass
from itertools import count

from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    invariant,
    multiple,
    precondition,
    rule,
)
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from predella.ids import ItemId, LeaseToken, ReleaseId
from predella.models import (
    Analysis,
    Attempt,
    Collection,
    FinishReason,
    Image,
    Item,
    ItemState,
    Outcome,
    Stage,
    Submission,
)
from predella.services import drafts, images, ledger
from predella.services.drafts import Draft
from predella.services.images import Finding, Prepared
from predella.services.ledger import Claimed
from predella.services.sweep import sweep
from tests import factories

MAX_ATTEMPTS = 3
Lease = list[Claimed]

_numbers = count(1)


@dataclass
class Known:
    """What the model knows of one item."""

    picture: bytes
    stage: Stage = Stage.PREPARE
    state: ItemState = ItemState.WAITING
    attempt: int = 0
    holder: LeaseToken | None = None

    def let_go(self, state: ItemState, *, attempt: int | None = None) -> None:
        self.state, self.holder = state, None
        self.attempt = self.attempt if attempt is None else attempt

    def put_back(self) -> None:
        exhausted = self.attempt >= MAX_ATTEMPTS
        self.let_go(ItemState.FAILED if exhausted else ItemState.WAITING)


class LedgerMachine(RuleBasedStateMachine):
    """Any number of workers, in one thread: what counts is the order of their transactions."""

    engine: Engine
    leases: Bundle[Lease] = Bundle("leases")

    def __init__(self) -> None:
        super().__init__()
        self.known: dict[ItemId, Known] = {}
        with Session(self.engine) as session, session.begin():
            self.release_id = ReleaseId(factories.release(session).id)
            self.submission = factories.submission(session)
            session.expunge_all()

    def teardown(self) -> None:
        """Nothing was written by a zombie, and what is left over is out of the next one's way."""
        zombies = (
            select(func.count())
            .select_from(Analysis)
            .join(Attempt, Attempt.lease_token == Analysis.lease_token)
            .where(Attempt.item_id == Analysis.item_id)
            .where(Attempt.outcome.is_distinct_from(Outcome.DONE))
        )
        with Session(self.engine) as session, session.begin():
            assert session.scalar(zombies) == 0
            session.execute(
                text("UPDATE item SET is_held = true WHERE state IN ('waiting', 'leased')")
            )

    @rule(pictures=st.lists(st.integers(1, 4), min_size=2, max_size=4), prepared=st.booleans())
    def submit(self, pictures: list[int], *, prepared: bool) -> None:
        """Several items may show the same picture; some may be prepared already."""
        with Session(self.engine) as session, session.begin():
            within = session.get_one(Submission, self.submission.id)
            for picture in pictures:
                known = Known(bytes([picture]) * 32)
                made = factories.item(session, within, next_attempt_at=func.now())
                if prepared:
                    made.image_id = self._image(session, within, known.picture).id
                    made.sha256 = known.picture
                    made.stage = known.stage = Stage.ANALYZE
                self.known[ItemId(made.id)] = known

    @precondition(lambda self: self._stages())
    @rule(target=leases, data=st.data(), limit=st.integers(1, 4), dare=st.booleans())
    def claim(
        self, data: st.DataObject, limit: int, *, dare: bool
    ) -> Lease | MultipleResults[Lease]:
        stage = data.draw(st.sampled_from(self._stages()))
        suspects = self._waiting(stage, suspect=True) if dare else []
        fresh = self._waiting(stage, suspect=False)
        with Session(self.engine) as session, session.begin():
            claimed = ledger.claim(
                session, stage, worker="w", limit=limit, lease_seconds=60, suspects=dare
            )
        expected = suspects[:1] or fresh[:limit]
        assert [item.id for item in claimed] == expected
        for item in claimed:
            known = self.known[item.id]
            known.state, known.holder, known.attempt = ItemState.LEASED, item.token, item.attempt
        return claimed or multiple()

    @rule(lease=leases)
    def finish(self, lease: Lease) -> None:
        """Whoever holds the lease ends the stage; a zombie changes nothing."""
        with Session(self.engine) as session, session.begin():
            if self._stage(lease) is Stage.PREPARE:
                assert self._prepared(session, lease) == self._held(lease)
            else:
                assert self._written(session, lease) == self._held(lease)
        for item_id in self._held(lease):
            known = self.known[item_id]
            if known.stage is Stage.PREPARE:
                known.stage = Stage.ANALYZE
                known.let_go(ItemState.WAITING, attempt=0)
            else:
                known.let_go(ItemState.DONE)

    @rule(lease=leases)
    def link(self, lease: Lease) -> None:
        """Items whose picture was written about end without a model."""
        if self._stage(lease) is Stage.PREPARE:
            return
        written = {known.picture for known in self.known.values() if known.state is ItemState.DONE}
        expected = {i for i in self._held(lease) if self.known[i].picture in written}
        with Session(self.engine) as session, session.begin():
            linked = drafts.link_known(session, lease, release_id=self.release_id)
        assert linked == expected
        for item_id in linked:
            self.known[item_id].let_go(ItemState.DONE)

    @rule(lease=leases)
    def fail(self, lease: Lease) -> None:
        for item in lease[:1]:
            mine = self._held([item])
            with Session(self.engine) as session, session.begin():
                assert ledger.fail(session, item, code="undecodable", sentence="no") == mine
            for item_id in mine:
                self.known[item_id].let_go(ItemState.FAILED)

    @rule(lease=leases)
    def retry(self, lease: Lease) -> None:
        for item in lease[:1]:
            mine = self._held([item])
            with Session(self.engine) as session, session.begin():
                put_back = ledger.retry(
                    session, item, code="away", sentence="no", max_attempts=MAX_ATTEMPTS
                )
            assert put_back == mine
            for item_id in mine:
                self.known[item_id].put_back()
        self._let_time_pass()

    @rule(lease=leases)
    def release(self, lease: Lease) -> None:
        mine = self._held(lease)
        with Session(self.engine) as session, session.begin():
            assert ledger.release(session, lease) == mine
        for item_id in mine:
            self.known[item_id].let_go(ItemState.WAITING, attempt=self.known[item_id].attempt - 1)

    @rule(lease=leases)
    def fall_silent(self, lease: Lease) -> None:
        """The lease runs out and the sweep comes; its holder may still wake up later."""
        mine = self._held(lease)
        with Session(self.engine) as session, session.begin():
            session.execute(
                text("UPDATE item SET lease_until = now() - interval '1 s' WHERE id = ANY(:ids)"),
                {"ids": list(mine)},
            )
            swept = sweep(session, max_attempts=MAX_ATTEMPTS)
        assert swept.returned + swept.given_up == len(mine)
        for item_id in mine:
            self.known[item_id].put_back()

    @rule(lease=leases)
    def beat(self, lease: Lease) -> None:
        with Session(self.engine) as session, session.begin():
            lost = ledger.heartbeat(session, lease, lease_seconds=60)
        mine = self._held(lease)
        assert lost == [item for item in lease if item.id not in mine]

    @invariant()
    def agrees(self) -> None:
        """The database says what the model says."""
        with Session(self.engine) as session:
            rows = session.execute(
                select(Item.id, Item.stage, Item.state, Item.attempt, Item.lease_token).where(
                    Item.submission_id == self.submission.id
                )
            )
            told = {row.id: tuple(row)[1:] for row in rows}
            assert told == {
                item_id: (known.stage, known.state, known.attempt, known.holder)
                for item_id, known in self.known.items()
            }

    def _image(self, session: Session, within: Submission, sha256: bytes) -> Image:
        owner = session.get_one(Collection, within.collection_id)
        found = select(Image).filter_by(collection_id=owner.id, sha256=sha256)
        return session.scalars(found).one_or_none() or factories.image(
            session, owner, sha256=sha256
        )

    def _prepared(self, session: Session, lease: Lease) -> set[ItemId]:
        finding = Finding(1, "PNG", 9, 9, "test/1", b"\0" * 32, {})
        return images.record(
            session, [Prepared(item, self.known[item.id].picture, finding) for item in lease]
        )

    def _written(self, session: Session, lease: Lease) -> set[ItemId]:
        return drafts.record(
            session,
            [_draft(item) for item in lease],
            release_id=self.release_id,
        )

    def _waiting(self, stage: Stage, *, suspect: bool) -> list[ItemId]:
        return sorted(
            item_id
            for item_id, known in self.known.items()
            if (known.stage, known.state) == (stage, ItemState.WAITING)
            and (known.attempt > 0) == suspect
        )

    def _stages(self) -> list[Stage]:
        waiting = {k.stage for k in self.known.values() if k.state is ItemState.WAITING}
        return sorted(waiting)

    def _held(self, lease: Lease) -> set[ItemId]:
        return {item.id for item in lease if self.known[item.id].holder == item.token}

    def _stage(self, lease: Lease) -> Stage:
        return Stage.PREPARE if lease[0].image is None else Stage.ANALYZE

    def _let_time_pass(self) -> None:
        with Session(self.engine) as session, session.begin():
            session.execute(text("UPDATE item SET next_attempt_at = now()"))


def _draft(item: Claimed) -> Draft:
    return Draft(
        item=item,
        text=f"Text {next(_numbers)}.",
        rendered_prompt="?",
        model_sha256=item.picture.model_sha256,
        finish_reason=FinishReason.STOP,
        prompt_tokens=1,
        output_tokens=1,
        mean_logprob=0,
        min_window_logprob=0,
        seed=None,
        batch_size=1,
        device="cpu",
        worker="w",
        timings={},
    )
