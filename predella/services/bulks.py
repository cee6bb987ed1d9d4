"""Bulks: one decision on all of a frozen selection, in one transaction, and taking it back.

Set by set, never row by row: the locks first, in the order of the ids, then a look at how
every member stands, then one INSERT for all that nothing forbids. What is forbidden is told
member by member, and does not hold back the others.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import (
    Integer,
    Row,
    Select,
    Uuid,
    and_,
    func,
    insert,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy.orm import Session, aliased

from predella import clock, ids
from predella.db import rowset
from predella.errors import (
    ConflictError,
    CountMismatchError,
    ExpiredSelectionError,
    InvalidError,
)
from predella.ids import AnalysisId, CollectionId, SelectionId
from predella.models import (
    Account,
    Analysis,
    Client,
    Collection,
    Decision,
    Lot,
    Opening,
    RejectionReason,
    Review,
    ReviewState,
    Revision,
    Selection,
    SelectionMember,
    Standing,
)
from predella.sampling import Plan
from predella.services import lots, reviews, searches, selections, webhooks

BulkDecision = Literal[Decision.APPROVED, Decision.REJECTED, Decision.REOPENED]


class Hindrance(StrEnum):
    """Why a member of a selection was left as it is."""

    WITHHELD = "withheld"
    """The museum closed what its picture shows, or its hand-in was withdrawn."""
    CHANGED = "changed"
    """There is a newer wording than the one that was frozen."""
    DECIDED = "decided"
    """It is decided already."""
    UNDECIDED = "undecided"
    """There is no decision to take back."""
    REVISED = "revised"
    """Somebody decided anew since then."""
    NOT_OPENED = "not_opened"
    """The account has not had this wording open: nobody approves unread."""
    HELD = "held"
    """A hard finding on it is open."""
    EMPTY = "empty"
    """There is no text to approve."""
    OWN = "own"
    """The account wrote it, and the collection wants somebody else to approve it."""


@dataclass(frozen=True)
class Refused:
    """One member that was left as it is."""

    analysis_id: AnalysisId
    why: Hindrance


@dataclass(frozen=True)
class BulkResult:
    """What became of a selection."""

    selection: Selection
    decision: Decision
    decided: int
    refused: Sequence[Refused]


@dataclass(frozen=True)
class Outcome:
    """What was decided with a selection, and how much of that still stands."""

    decision: Decision
    decided: int
    decided_at: datetime
    standing: int
    """Those on which nobody has decided anew since."""


def decide(
    session: Session,
    selection_id: SelectionId,
    *,
    expected_count: int,
    decision: BulkDecision,
    account: Account,
    client: Client,
    reason: RejectionReason | None = None,
    note: str | None = None,
) -> BulkResult:
    """Decide alike on every member that stands as it was frozen; tell why not on the others.

    Only what this account has had open is approved: an approval says that somebody read it.

    Raises:
        NotFoundError: there is no such selection.
        CountMismatchError: it does not hold ``expected_count`` members.
        ConflictError: somebody else froze it.
        ExpiredSelectionError: it was frozen more than 24 hours ago.
        InvalidError: a rejection without a reason, or a note of more than 2,000 characters.
    """
    said = _permitted(decision, reason, note)
    selection = _usable(session, selection_id, expected_count, account)
    hindrance = {
        Decision.APPROVED: _forbids_approval,
        Decision.REJECTED: _forbids_rejection,
        Decision.REOPENED: _forbids_reopening,
    }[decision]
    review = {"decision": decision, "reason": reason, "note": said}
    return _write(session, selection, hindrance, review, account=account, client=client)


def sample(
    session: Session,
    selection_id: SelectionId,
    *,
    expected_count: int,
    collection: Collection,
    plan: Plan,
    account: Account,
) -> Lot:
    """Make a lot of the members that can be in one: those of this collection, and clean.

    Raises:
        NotFoundError: there is no such selection.
        CountMismatchError: it does not hold ``expected_count`` members.
        ConflictError: somebody else froze it.
        ExpiredSelectionError: it was frozen more than 24 hours ago.
        InvalidError: none of them can be in a lot.
    """
    selection = _usable(session, selection_id, expected_count, account)
    here = frozenset({CollectionId(collection.id)})
    members = searches.parse(session, f"selection:{selection.id}", account=account, within=here)
    return lots.create(session, collection=collection, plan=plan, account=account, search=members)


def revert(
    session: Session, selection_id: SelectionId, *, account: Account, client: Client
) -> BulkResult:
    """Reopen what was decided with this selection and nobody has decided anew since.

    Raises:
        NotFoundError: there is no such selection.
    """
    selection = selections.get(session, selection_id)
    review = {"decision": Decision.REOPENED, "reason": None, "note": None}
    return _write(session, selection, _forbids_revert, review, account=account, client=client)


def outcome(session: Session, selection_id: SelectionId) -> Outcome | None:
    """Return what was decided with a selection; None where nothing was."""
    later = aliased(Review)
    is_last = ~(
        select(later.id)
        .where(later.analysis_id == Review.analysis_id, later.number > Review.number)
        .exists()
    )
    found = session.execute(
        select(
            Review.decision,
            func.count(),
            func.min(Review.created_at),
            func.count().filter(is_last),
        )
        .where(Review.selection_id == selection_id)
        .group_by(Review.decision)
        .order_by(func.min(Review.created_at))
    ).first()
    return Outcome(*found) if found else None


def _usable(
    session: Session, selection_id: SelectionId, expected_count: int, account: Account
) -> Selection:
    selection = selections.get(session, selection_id)
    _require_own(selection, account)
    if expected_count != selection.count:
        raise CountMismatchError(expected=expected_count, actual=selection.count)
    if clock.now() > selection.expires_at:
        raise ExpiredSelectionError(selection_id)
    return selection


def _permitted(
    decision: BulkDecision, reason: RejectionReason | None, note: str | None
) -> str | None:
    if (decision is Decision.REJECTED) != (reason is not None):
        raise InvalidError("a rejection needs a reason, and only a rejection has one")
    return reviews.usable_note(note)


def _require_own(selection: Selection, account: Account) -> None:
    if selection.account_id != account.id:
        raise ConflictError(
            f"{selection.account.display_name} froze selection {selection.id};"
            " only who froze one decides on it"
        )


def _write(
    session: Session,
    selection: Selection,
    hindrance: Callable[[Row[Any]], Hindrance | None],
    review: dict[str, Any],
    *,
    account: Account,
    client: Client,
) -> BulkResult:
    _lock(session, selection.id)
    members = session.execute(_as_they_stand(selection.id, account.id)).all()
    forbidden = {member.analysis_id: hindrance(member) for member in members}
    chosen = [member for member in members if forbidden[member.analysis_id] is None]
    if chosen:
        common = review | {
            "created_at": clock.now(),
            "account_id": account.id,
            "client": client,
            "selection_id": selection.id,
        }
        _insert(session, selection.id, chosen, common)
        webhooks.ring(session)
    refused = [Refused(AnalysisId(id_), why) for id_, why in forbidden.items() if why]
    return BulkResult(selection, review["decision"], len(chosen), refused)


def _lock(session: Session, selection_id: UUID) -> None:
    """Hold the members until the transaction ends; in the order of the ids, as everybody does."""
    members = select(SelectionMember.analysis_id).filter_by(selection_id=selection_id)
    session.execute(
        select(Analysis.id).where(Analysis.id.in_(members)).order_by(Analysis.id).with_for_update()
    ).all()


def _as_they_stand(selection_id: UUID, account_id: UUID) -> Select[Any]:
    """Find of every member what may forbid a decision."""
    member = SelectionMember
    revision = (
        select(Revision.id, Revision.text.regexp_match(r"^\s*$").label("is_empty"))
        .where(Revision.analysis_id == member.analysis_id)
        .order_by(Revision.number.desc())
        .limit(1)
        .lateral()
    )
    restored = aliased(Revision)
    wrote = select(Revision.id).outerjoin(
        restored,
        (restored.analysis_id == Revision.analysis_id)
        & (restored.number == Revision.restores_number),
    )
    is_own = wrote.where(
        Revision.id == member.revision_id,
        or_(Revision.account_id == account_id, restored.account_id == account_id),
    ).exists()
    newest = aliased(
        Review,
        select(Review)
        .where(Review.analysis_id == member.analysis_id)
        .order_by(Review.number.desc())
        .limit(1)
        .lateral(),
    )
    was_open = select(Opening.revision_id).where(
        Opening.revision_id == member.revision_id, Opening.account_id == account_id
    )
    return (
        select(
            member.analysis_id,
            (revision.c.id != member.revision_id).label("is_changed"),
            revision.c.is_empty,
            (Standing.state == ReviewState.WITHHELD).label("is_withheld"),
            (Standing.hard > 0).label("is_held"),
            was_open.exists().label("is_opened"),
            and_(Collection.review_rules["second_approver"].as_boolean(), is_own).label(
                "wants_another"
            ),
            newest.id.label("review_id"),
            newest.number.label("review_number"),
            newest.decision,
            (newest.selection_id == selection_id).label("is_ours"),
        )
        .join(Standing, Standing.analysis_id == member.analysis_id)
        .join(Collection, Collection.id == Standing.collection_id)
        .join(revision, true())
        .outerjoin(newest, true())
        .where(member.selection_id == selection_id)
        .order_by(member.number)
    )


def _forbids_rejection(member: Row[Any]) -> Hindrance | None:
    if member.is_withheld:
        return Hindrance.WITHHELD
    if member.decision is not None and member.decision.settles:
        return Hindrance.DECIDED
    return Hindrance.CHANGED if member.is_changed else None


def _forbids_approval(member: Row[Any]) -> Hindrance | None:
    if hindrance := _forbids_rejection(member):
        return hindrance
    if not member.is_opened:
        return Hindrance.NOT_OPENED
    if member.is_held:
        return Hindrance.HELD
    if member.wants_another:
        return Hindrance.OWN
    return Hindrance.EMPTY if member.is_empty else None


def _forbids_reopening(member: Row[Any]) -> Hindrance | None:
    if member.decision in {None, Decision.REOPENED}:
        return Hindrance.UNDECIDED
    return Hindrance.CHANGED if member.is_changed else None


def _forbids_revert(member: Row[Any]) -> Hindrance | None:
    if member.decision in {None, Decision.REOPENED}:
        return Hindrance.UNDECIDED
    return None if member.is_ours else Hindrance.REVISED


def _insert(
    session: Session, selection_id: UUID, chosen: Sequence[Row[Any]], common: dict[str, Any]
) -> None:
    """Write one review for each, about the wording that was frozen: it is still the newest."""
    is_undo = common["decision"] is Decision.REOPENED
    rows = rowset(
        id=(Uuid(), [ids.new() for _ in chosen]),
        analysis_id=(Uuid(), [member.analysis_id for member in chosen]),
        number=(Integer(), [(member.review_number or 0) + 1 for member in chosen]),
        undoes_id=(Uuid(), [member.review_id if is_undo else None for member in chosen]),
    )
    member = SelectionMember
    values = {
        "id": rows.c.id,
        "analysis_id": rows.c.analysis_id,
        "number": rows.c.number,
        "undoes_id": rows.c.undoes_id,
        "revision_id": member.revision_id,
        "revision_sha256": member.revision_sha256,
        **{name: literal(value, Review.__table__.c[name].type) for name, value in common.items()},
    }
    reviews = (
        select(*values.values())
        .join(member, member.analysis_id == rows.c.analysis_id)
        .where(member.selection_id == selection_id)
    )
    session.execute(insert(Review).from_select(list(values), reviews))
