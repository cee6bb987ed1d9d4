"""Every gate, closed at every stage, at every way out: one table, tried out whole.

The id of a test says which gate, closed when, and by which way something came out, or did not.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from predella import clock
from predella.errors import PermissionDeniedError, PredellaError
from predella.ids import CollectionId, SelectionId, SubmissionId
from predella.models import (
    Analysis,
    Attempt,
    AuditEntry,
    Client,
    Collection,
    Decision,
    ExportLine,
    Item,
    Outcome,
    RejectionReason,
    Review,
    Role,
    Selection,
    Sensitivity,
    Stage,
    Submission,
)
from predella.sampling import Plan
from predella.services import (
    accounts,
    bulks,
    claims,
    gates,
    leaving,
    ledger,
    lots,
    outgoing,
    places,
    searches,
    selections,
    withdrawals,
)
from predella.services.gates import Change
from predella.services.ledger import Claimed
from tests import factories

REASON = "a letter of the family"
FAR = clock.now().date() + timedelta(days=400)


@dataclass(frozen=True)
class Gate:
    """One thing that keeps back, and what it keeps."""

    at_hand_in: dict[str, Any]
    """Fields of an item that is handed in so."""
    close: Change | None = None
    """None for what is no gate of the object."""
    open: Change | None = None
    model: bool = False
    """Whether it keeps the picture from the model, and the text from the desk."""
    readers: bool = False
    """Whether it keeps the picture from who only reads."""


# All of them keep a text from leaving.
GATES = {
    "restricted": Gate(
        {"sensitivity": Sensitivity.RESTRICTED},
        Change(sensitivity=Sensitivity.RESTRICTED),
        Change(sensitivity=Sensitivity.NONE),
        model=True,
        readers=True,
    ),
    "review": Gate(
        {"sensitivity": Sensitivity.REVIEW},
        Change(sensitivity=Sensitivity.REVIEW),
        Change(sensitivity=Sensitivity.NONE),
    ),
    "ai_processing": Gate(
        {"ai_processing": False},
        Change(ai_processing=False),
        Change(ai_processing=True),
        model=True,
    ),
    "export": Gate({"exportable": False}, Change(exportable=False), Change(exportable=True)),
    "embargo": Gate(
        {"embargo_until": FAR}, Change(embargo_until=FAR), Change(clear=["embargo_until"])
    ),
    "rights": Gate(
        {"rights_work": None},
        Change(clear=["rights_work"]),
        Change(rights_work=factories.PUBLIC_DOMAIN),
    ),
    "withdrawn": Gate({}, model=True),
    "preview": Gate({"is_held": True}, model=True),
}


class World:
    """One object on its way, and somebody of each kind."""

    def __init__(self, session: Session, gate: Gate, name: str) -> None:
        self.session, self.gate, self.name = session, gate, name
        self.within = factories.submission(session, is_held=name == "preview")
        self.collection = session.get_one(Collection, self.within.collection_id)
        self.curator = factories.account(session)
        self.reader = factories.account(session, Role.REGISTRAR)
        self.held: list[Claimed] = []
        self.selection: Selection | None = None
        self.item: Item

    @property
    def id(self) -> CollectionId:
        return CollectionId(self.collection.id)

    def hand_in(self, **fields: Any) -> None:
        self.item = factories.item(self.session, self.within, next_attempt_at=func.now(), **fields)

    def lease(self) -> None:
        self.held = ledger.claim(self.session, Stage.PREPARE, worker="w", limit=1, lease_seconds=60)

    def write(self) -> Analysis:
        made = factories.analysis(self.session, self.item)
        search = searches.parse(self.session, "", account=self.curator, within=None)
        self.selection = selections.freeze(self.session, search, account=self.curator)
        return made

    def approve(self) -> None:
        factories.review(self.session, self.write())

    def export(self) -> None:
        assert _line(self)

    def close(self) -> None:
        if self.gate.close is not None:
            self._change(self.gate.close)
        else:
            self._turn(withdrawals.withdraw)

    def open(self) -> None:
        if self.gate.open is not None:
            self._change(self.gate.open)
        elif self.name == "preview":
            withdrawals.release(self.session, SubmissionId(self.within.id), account=self.curator)
        else:
            self._turn(withdrawals.restore)

    def _change(self, to: Change) -> None:
        number = self.item.object_number
        gates.change(self.session, self.id, number, to, account=self.curator, reason=REASON)

    def _turn(self, turn: Callable[..., Submission]) -> None:
        turn(self.session, SubmissionId(self.within.id), account=self.curator, reason=REASON)


def _handed_in_closed(world: World) -> None:
    world.hand_in(**world.gate.at_hand_in)
    if world.name == "withdrawn":
        world.close()


def _waiting(world: World) -> None:
    world.hand_in()
    world.close()


def _leased(world: World) -> None:
    world.hand_in()
    world.lease()
    world.close()


def _in_review(world: World) -> None:
    world.hand_in()
    world.write()
    world.close()


def _approved(world: World) -> None:
    world.hand_in()
    world.approve()
    world.close()


def _exported(world: World) -> None:
    world.hand_in()
    world.approve()
    world.export()
    world.close()


def _opened_again_before_work(world: World) -> None:
    _handed_in_closed(world)
    world.open()


def _opened_again_in_review(world: World) -> None:
    _in_review(world)
    world.open()


def _opened_again_when_exported(world: World) -> None:
    _exported(world)
    world.open()


Ways = frozenset[str]
_NO: Ways = frozenset()
_MODEL: Ways = frozenset({"model"})
_DESK: Ways = frozenset({"queue", "claim", "lot", "bulk"})
_LEAVING: Ways = frozenset({"export", "export_line", "record"})
_PICTURE: Ways = frozenset({"picture"})


@dataclass(frozen=True)
class When:
    """When a gate closes, and what would be let out at that stage by none."""

    reach: Callable[[World], None]
    ways: Ways
    is_open_again: bool = False


STAGES = {
    "handed_in_closed": When(_handed_in_closed, _MODEL),
    "while_waiting": When(_waiting, _MODEL),
    "while_leased": When(_leased, _MODEL),
    "in_review": When(_in_review, _DESK | _PICTURE),
    "when_approved": When(_approved, _LEAVING | _PICTURE),
    "when_exported": When(_exported, _LEAVING | _PICTURE),
    "opened_before_work": When(_opened_again_before_work, _MODEL, is_open_again=True),
    "opened_in_review": When(_opened_again_in_review, _DESK | _PICTURE, is_open_again=True),
    "opened_when_exported": When(
        _opened_again_when_exported, _LEAVING | _PICTURE, is_open_again=True
    ),
}


def _expected(gate: Gate, when: When) -> Ways:
    if when.is_open_again:
        return when.ways
    kept = _LEAVING
    kept |= _MODEL | _DESK if gate.model else _NO
    kept |= _PICTURE if gate.readers else _NO
    return when.ways - kept


def _model(world: World) -> bool:
    """Whether a worker gets it, or goes on with it."""
    if world.held:
        return bool(ledger.lock(world.session, world.held))
    world.lease()
    return bool(world.held)


def _queue(world: World) -> bool:
    search = searches.parse(world.session, "state:needs_review", account=world.curator, within=None)
    return bool(searches.page(world.session, search).ids)


def _claim(world: World) -> bool:
    search = searches.parse(world.session, "", account=world.curator, within=None)
    return bool(claims.take(world.session, search, account=world.curator))


def _lot(world: World) -> bool:
    try:
        lots.create(
            world.session,
            collection=world.collection,
            plan=Plan.QUICK_LOOK,
            account=world.curator,
        )
    except PredellaError:
        return False
    return True


def _bulk(world: World) -> bool:
    """Whether a selection that was frozen before can still be decided on."""
    if world.selection is None:
        return False
    done = bulks.decide(
        world.session,
        SelectionId(world.selection.id),
        expected_count=1,
        decision=Decision.REJECTED,
        reason=RejectionReason.STYLE,
        account=world.curator,
        client=Client.API,
    )
    return done.decided > 0


def _export(world: World) -> bool:
    return bool(list(outgoing.departures(world.session, world.collection)))


def _record(world: World) -> bool:
    """Whether a harvester is told its text."""
    names = {
        "collection_id": world.id,
        "kinds": ["formal_analysis"],
        "object_numbers": [world.item.object_number],
        "since": None,
        "format": None,
        "profile": None,
    }
    return bool(world.session.execute(leaving.OF_OBJECTS, names).all())


def _line(world: World) -> bool:
    """Whether the database itself lets it into an export."""
    approval = world.session.scalar(select(Review).order_by(Review.number.desc()).limit(1))
    if approval is None:
        return False
    export = factories.export(world.session, world.collection)
    try:
        with world.session.begin_nested():
            world.session.add(
                ExportLine(
                    export_id=export.id,
                    number=1,
                    item_id=world.item.id,
                    analysis_id=approval.analysis_id,
                    revision_id=approval.revision_id,
                    revision_sha256=approval.revision_sha256,
                    review_id=approval.id,
                    sha256=factories.digest("line"),
                )
            )
    except IntegrityError as error:
        return "may not leave" not in str(error)
    return True


def _picture(world: World) -> bool:
    """Whether somebody who only reads is shown the picture."""
    world.session.refresh(world.item)
    if world.item.image_id is None:
        return False
    world.session.refresh(world.reader, ["memberships"])
    reader = accounts.principal(world.reader)
    try:
        places.require(world.session, reader, "collections:read", image_id=world.item.image_id)
    except PermissionDeniedError:
        return False
    return True


WAYS = {
    "model": _model,
    "queue": _queue,
    "claim": _claim,
    "lot": _lot,
    "bulk": _bulk,
    "export": _export,
    "export_line": _line,
    "record": _record,
    "picture": _picture,
}


def _cells() -> Iterator[Any]:
    for gate in GATES:
        for stage in STAGES:
            # A preview is chosen when the hand-in is read, and at no other time.
            if gate != "preview" or stage in {"handed_in_closed", "opened_before_work"}:
                for way in WAYS:
                    yield pytest.param(gate, stage, way, id=f"{gate}-{stage}-{way}")


class TestMatrix:
    @pytest.mark.parametrize(("gate", "stage", "way"), list(_cells()))
    def test_holds(self, session: Session, gate: str, stage: str, way: str) -> None:
        world = World(session, GATES[gate], gate)
        STAGES[stage].reach(world)

        comes_out = WAYS[way](world)

        assert comes_out == (way in _expected(GATES[gate], STAGES[stage]))


class TestAudit:
    @pytest.mark.parametrize("gate", GATES)
    def test_has_who_opened_and_closed_it_and_why(self, session: Session, gate: str) -> None:
        world = World(session, GATES[gate], gate)
        _opened_again_before_work(world)
        if gate != "preview":
            world.close()

        entries = session.scalars(
            select(AuditEntry)
            .where(AuditEntry.subject_kind.in_(["object", "submission"]))
            .where(AuditEntry.action != "submission.handed_in")
            .order_by(AuditEntry.seq)
        ).all()

        of_the_object = ["object.gated", "object.gated"]
        expected = {
            "withdrawn": ["submission.withdrawn", "submission.restored", "submission.withdrawn"],
            "preview": ["submission.released"],
        }
        actions = [one.action for one in entries if one.account_id == world.curator.id]
        assert actions == expected.get(gate, of_the_object)
        if gate != "preview":
            assert entries[-1].details["reason"] == REASON

    def test_has_what_a_worker_had_to_let_go(self, session: Session) -> None:
        world = World(session, GATES["restricted"], "restricted")

        _leased(world)

        assert session.scalars(select(Attempt.outcome)).all() == [Outcome.LOST]
        assert session.scalars(select(AuditEntry.action)).all()[-1] == "object.gated"
