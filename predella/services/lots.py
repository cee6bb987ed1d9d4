"""Lots: many texts accepted, or refused, by reading a sample of them.

What is accepted so is never `approved`: nobody needs to have read it. A text that a check has
something to say of is no candidate, and a text that was changed meanwhile is not accepted.
"""

import secrets
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, cast
from uuid import UUID

from sqlalchemy import CursorResult, Row, Select, and_, exists, func, insert, or_, select, text
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session, joinedload

from predella import clock, db, ids, sampling
from predella.checks import Severity
from predella.errors import ConflictError, InvalidError, NotFoundError
from predella.ids import AnalysisId, CollectionId, LotId, Reach
from predella.models import (
    Account,
    Analysis,
    Client,
    Collection,
    Control,
    Decision,
    Lot,
    LotMember,
    LotState,
    OpenFinding,
    Review,
    ReviewState,
    Revision,
    Standing,
)
from predella.sampling import TERMS, Plan
from predella.services import webhooks
from predella.services.searches import Search

MAX_MEMBERS = 200_000
"""Texts of one lot."""


class Judgement(StrEnum):
    """What a person made of a text of the sample."""

    GOOD = "good"
    """Approved as it was."""
    DEFECT = "defect"
    """Rejected, amended, or a new text was asked for."""


@dataclass(frozen=True)
class Sampled:
    """One text of a sample."""

    analysis_id: UUID
    number: int
    """1, 2, 3 ... in the order of reading."""
    judgement: Judgement | None
    """None while it is undecided."""


@dataclass(frozen=True)
class Progress:
    """How far the reading of a sample has come, and what it says so far."""

    sample: int
    allowed: int
    reviewed: int
    defects: int

    @property
    def is_complete(self) -> bool:
        """Whether the whole sample is decided."""
        return self.reviewed == self.sample

    @property
    def can_pass(self) -> bool:
        """Whether it may still pass."""
        return self.defects <= self.allowed

    @property
    def upper_bound(self) -> float:
        """The share of bad texts that is not exceeded, with 95 % confidence."""
        return sampling.upper_bound(defects=self.defects, sample=self.reviewed)


def create(
    session: Session,
    *,
    collection: Collection,
    plan: Plan,
    account: Account,
    analysis_ids: Sequence[AnalysisId] | None = None,
    search: Search | None = None,
    seed: int | None = None,
) -> Lot:
    """Freeze a lot of the texts of a collection that need review, and draw its sample.

    Of these analyses, and of those that a search finds (of all, where neither is given), those
    become members that need review, that no check has anything hard or soft to say of, and
    that are in no other open lot, nor in this wording in a lot that failed.

    Raises:
        InvalidError: none of them can be a member, or they are more than 200,000.
    """
    # Lots of one collection are made one after the other.
    session.get(Collection, collection.id, with_for_update={"key_share": True})
    wanted = _wanted(CollectionId(collection.id), analysis_ids, search)
    found = session.execute(_eligible(wanted).limit(MAX_MEMBERS + 1)).all()
    _require_a_lot(found)
    seed = secrets.randbelow(2**31) if seed is None else seed
    drawn = _drawn(found, plan, seed)
    lot = Lot(
        collection=collection,
        account=account,
        query="" if search is None else str(search),
        plan=plan,
        allowed=TERMS[plan].allowed,
        seed=seed,
        member_count=len(found),
        sample_count=len(drawn),
        flagged_count=_flagged(session, wanted),
    )
    session.add(lot)
    session.flush()
    _freeze(session, lot, found, drawn)
    return lot


def get(session: Session, lot_id: LotId) -> Lot:
    """Return the lot with this id, with its collection and who made it.

    Raises:
        NotFoundError: there is none.
    """
    lot = session.scalar(_whole().where(Lot.id == lot_id))
    if lot is None:
        raise NotFoundError("lot", lot_id)
    return lot


def listed(
    session: Session,
    *,
    within: Reach,
    collection_id: CollectionId | None = None,
    after: UUID | None = None,
    limit: int = 50,
) -> Sequence[Lot]:
    """Return lots with their collections and who made them, the oldest first."""
    page = _whole().where(db.inside(Lot.collection_id, within)).order_by(Lot.id).limit(limit)
    if collection_id is not None:
        page = page.where(Lot.collection_id == collection_id)
    if after is not None:
        page = page.where(Lot.id > after)
    return session.scalars(page).all()


def latest(
    session: Session, *, within: Reach, before: UUID | None = None, limit: int = 50
) -> Sequence[Lot]:
    """Return lots with their collections and who made them, the newest first."""
    page = _whole().where(db.inside(Lot.collection_id, within))
    page = page.order_by(Lot.id.desc()).limit(limit)
    return session.scalars(page.where(Lot.id < before) if before else page).all()


def sample(session: Session, lot: Lot) -> list[Sampled]:
    """Return the texts to read, in the order of reading, and what was decided on each."""
    newest = (
        select(Review.analysis_id, Review.decision, Review.revision_sha256)
        .ext(distinct_on(Review.analysis_id))
        .join(LotMember, LotMember.analysis_id == Review.analysis_id)
        .where(LotMember.lot_id == lot.id, LotMember.sample_number.is_not(None))
        .order_by(Review.analysis_id, Review.number.desc())
        .subquery()
    )
    rows = session.execute(
        select(LotMember, newest.c.decision, newest.c.revision_sha256)
        .outerjoin(newest, newest.c.analysis_id == LotMember.analysis_id)
        .where(LotMember.lot_id == lot.id, LotMember.sample_number.is_not(None))
        .order_by(LotMember.sample_number)
    )
    return [
        Sampled(
            member.analysis_id,
            cast("int", member.sample_number),
            _judged(decision, unchanged=sha256 == member.revision_sha256),
        )
        for member, decision, sha256 in rows
    ]


def progress(session: Session, lot: Lot) -> Progress:
    """Return how far the reading of the sample has come."""
    judgements = [one.judgement for one in sample(session, lot) if one.judgement is not None]
    return Progress(
        lot.sample_count, lot.allowed, len(judgements), judgements.count(Judgement.DEFECT)
    )


def conclude(session: Session, lot_id: LotId, *, account: Account, client: Client) -> Lot:
    """Return the lot as its sample decides it.

    With no more defects than its plan allows it passes: what nobody has decided on, changed or
    found fault with is accepted by sample. With more it fails, read to the end or not: nothing
    is accepted, and its wordings are read one by one. Said twice it is said once.

    Raises:
        NotFoundError: there is no such lot.
        ConflictError: the sample is not read to the end, or the lot was reverted.
    """
    lot = _locked(session, lot_id)
    if lot.state in {LotState.PASSED, LotState.FAILED}:
        return lot
    _require_state(lot, LotState.OPEN)
    _hold_members(session, lot)
    found = progress(session, lot)
    if found.can_pass and not found.is_complete:
        raise ConflictError(
            f"lot {lot.id}: {found.sample - found.reviewed} of its sample of {found.sample}"
            " are still to be read"
        )
    lot.state = LotState.PASSED if found.can_pass else LotState.FAILED
    lot.defect_count = found.defects
    lot.concluded_at, lot.concluded_by_id = clock.now(), account.id
    session.flush()
    if found.can_pass:
        lot.accepted_count = _decide(session, _ACCEPT, lot, account, client)
        session.flush()
    webhooks.ring(session)
    return lot


def revert(session: Session, lot_id: LotId, *, account: Account, client: Client) -> Lot:
    """Reopen what a lot accepted; what was decided otherwise since then stays as it is.

    Said twice it is said once.

    Raises:
        NotFoundError: there is no such lot.
        ConflictError: it has not passed.
    """
    lot = _locked(session, lot_id)
    if lot.state is LotState.REVERTED:
        return lot
    _require_state(lot, LotState.PASSED)
    _hold_members(session, lot)
    lot.state = LotState.REVERTED
    session.flush()
    _decide(session, _REOPEN, lot, account, client)
    webhooks.ring(session)
    return lot


def _wanted(
    collection_id: CollectionId,
    analysis_ids: Sequence[AnalysisId] | None,
    search: Search | None,
) -> Select[UUID]:
    """Select what needs review and is no control item, of what was asked for."""
    query = select(Standing.analysis_id).where(
        Standing.collection_id == collection_id,
        Standing.state == ReviewState.NEEDS_REVIEW,
        ~exists().where(Control.analysis_id == Standing.analysis_id),
    )
    if analysis_ids is not None:
        query = query.where(Standing.analysis_id.in_(analysis_ids))
    if search is not None:
        query = query.where(*search.conditions, Standing.state.in_(search.states))
    return query


_IS_FLAGGED = exists().where(
    OpenFinding.analysis_id == Standing.analysis_id,
    OpenFinding.severity.in_([Severity.HARD, Severity.SOFT]),
)


def _eligible(wanted: Select[UUID]) -> Select[UUID, UUID, UUID, bytes]:
    unflagged = wanted.where(~_IS_FLAGGED).subquery()
    newest = (
        select(Revision.analysis_id, Revision.id, Revision.sha256)
        .ext(distinct_on(Revision.analysis_id))
        .join(unflagged, unflagged.c.analysis_id == Revision.analysis_id)
        .order_by(Revision.analysis_id, Revision.number.desc())
        .subquery()
    )
    is_held = exists().where(
        LotMember.analysis_id == newest.c.analysis_id,
        or_(
            LotMember.lot_state == LotState.OPEN,
            and_(
                LotMember.lot_state == LotState.FAILED, LotMember.revision_sha256 == newest.c.sha256
            ),
        ),
    )
    return (
        select(Analysis.id, Analysis.release_id, newest.c.id, newest.c.sha256)
        .join(newest, newest.c.analysis_id == Analysis.id)
        .where(~is_held)
        .order_by(Analysis.id)
    )


def _flagged(session: Session, wanted: Select[UUID]) -> int:
    flagged = wanted.where(_IS_FLAGGED).subquery()
    return session.scalar(select(func.count()).select_from(flagged)) or 0


def _require_a_lot(found: Sequence[object]) -> None:
    if not found:
        raise InvalidError(
            "there is nothing to make a lot of: no text that needs review, that no check has"
            " anything to say of, and that is in no other lot"
        )
    if len(found) > MAX_MEMBERS:
        raise InvalidError(f"a lot has at most {MAX_MEMBERS:,} texts; choose fewer")


def _drawn(found: Sequence[Row[UUID, UUID, UUID, bytes]], plan: Plan, seed: int) -> dict[UUID, int]:
    strata = defaultdict[UUID, list[UUID]](list)
    for analysis_id, release_id, _, _ in found:
        strata[release_id].append(analysis_id)
    size = sampling.sample_size(plan, len(found))
    return {
        one: number for number, one in enumerate(sampling.draw(strata, size, seed=seed), start=1)
    }


def _freeze(
    session: Session,
    lot: Lot,
    found: Sequence[Row[UUID, UUID, UUID, bytes]],
    drawn: dict[UUID, int],
) -> None:
    rows = [
        {
            "lot_id": lot.id,
            "analysis_id": analysis_id,
            "revision_id": revision_id,
            "revision_sha256": sha256,
            "sample_number": drawn.get(analysis_id),
            "lot_state": LotState.OPEN,
        }
        for analysis_id, _, revision_id, sha256 in found
    ]
    session.execute(insert(LotMember), rows)


def _whole() -> Select[Lot]:
    return select(Lot).options(joinedload(Lot.collection), joinedload(Lot.account))


def _locked(session: Session, lot_id: LotId) -> Lot:
    """Hold the lot until the transaction ends, and only then look at it."""
    session.get(Lot, lot_id, with_for_update=True)
    return get(session, lot_id)


def _require_state(lot: Lot, state: LotState) -> None:
    if lot.state is not state:
        raise ConflictError(f"lot {lot.id} is {lot.state}, not {state}")


def _hold_members(session: Session, lot: Lot) -> None:
    """Wait for whoever decides on a member, in the order in which all take these locks."""
    members = select(LotMember.analysis_id).where(LotMember.lot_id == lot.id)
    session.execute(
        select(Analysis.id).where(Analysis.id.in_(members)).order_by(Analysis.id).with_for_update()
    ).all()


def _judged(decision: Decision | None, *, unchanged: bool) -> Judgement | None:
    if decision is None or not decision.settles:
        return None
    good = decision is Decision.APPROVED and unchanged
    return Judgement.GOOD if good else Judgement.DEFECT


# Ids are made by us, one for each row that may come of it: a review's id tells its time.
_ACCEPT = text("""
    WITH accepted AS (
        SELECT member.*, row_number() OVER (ORDER BY member.analysis_id) AS place,
            coalesce((SELECT max(number) FROM review
                WHERE review.analysis_id = member.analysis_id), 0) + 1 AS number
        FROM lot_member member
        JOIN standing ON standing.analysis_id = member.analysis_id
            AND standing.state = 'needs_review'
        WHERE member.lot_id = :lot_id AND member.sample_number IS NULL
            AND member.revision_id = (
                SELECT id FROM revision WHERE revision.analysis_id = member.analysis_id
                ORDER BY number DESC LIMIT 1)
            AND NOT EXISTS (SELECT FROM open_finding
                WHERE open_finding.analysis_id = member.analysis_id
                    AND open_finding.severity IN ('hard', 'soft'))
            AND NOT EXISTS (SELECT FROM control WHERE control.analysis_id = member.analysis_id)
    )
    INSERT INTO review (id, created_at, analysis_id, number, revision_id, revision_sha256,
        account_id, decision, client, lot_id)
    SELECT fresh.id, :now, analysis_id, number, revision_id, revision_sha256, :account_id,
        'accepted_by_sample', :client, lot_id
    FROM accepted JOIN unnest(CAST(:ids AS uuid[])) WITH ORDINALITY fresh (id, place) USING (place)
""")

_REOPEN = text("""
    WITH accepted AS (
        SELECT review.*, row_number() OVER (ORDER BY analysis_id) AS place
        FROM review WHERE lot_id = :lot_id AND NOT EXISTS (
            SELECT FROM review newer
            WHERE newer.analysis_id = review.analysis_id AND newer.number > review.number)
    )
    INSERT INTO review (id, created_at, analysis_id, number, revision_id, revision_sha256,
        account_id, decision, client, undoes_id)
    SELECT fresh.id, :now, analysis_id, number + 1, revision_id, revision_sha256, :account_id,
        'reopened', :client, accepted.id
    FROM accepted JOIN unnest(CAST(:ids AS uuid[])) WITH ORDINALITY fresh (id, place) USING (place)
""")


def _decide(session: Session, decisions: Any, lot: Lot, account: Account, client: Client) -> int:
    """Write one decision for each member that it holds for, at once; return how many."""
    written = session.execute(
        decisions,
        {
            "lot_id": lot.id,
            "now": clock.now(),
            "account_id": account.id,
            "client": client.value,
            "ids": [ids.new() for _ in range(lot.member_count)],
        },
    )
    return cast("CursorResult[Any]", written).rowcount
