"""Claims: who has which open analysis on screen, so that two people never read the same.

A claim lasts ten minutes from the last sign of life. It keeps others from being *offered* the
analysis; it decides nothing, and nobody needs one to decide.
"""

from collections.abc import Collection as Ids
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    case,
    delete,
    exists,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased, joinedload

from predella import clock
from predella.checks import Severity
from predella.errors import (
    AlreadyDecidedError,
    ClaimedError,
    NotFoundError,
    PredellaError,
    WithheldError,
)
from predella.ids import AnalysisId, CollectionId
from predella.models import (
    Account,
    Analysis,
    Claim,
    OpenFinding,
    Review,
    ReviewState,
    Skip,
    Standing,
)

LEASE = timedelta(minutes=10)
MAX_CLAIMS = 5
"""Taken at once: one to read, and the next ones to be fetched meanwhile."""
OPEN = (ReviewState.NEEDS_REVIEW, ReviewState.NEEDS_SECOND)
"""Where somebody still has to decide."""


def take(
    session: Session,
    candidates: Select[UUID],
    *,
    account: Account,
    limit: int = MAX_CLAIMS,
) -> Sequence[AnalysisId]:
    """Claim the first analyses of a query that nobody else holds; return them in its order.

    Those that the account holds already come first: it goes on where it was. Those that it
    skipped come last, when nothing else is left.

    ``candidates`` selects ids of open analyses, in the order in which they are wanted, without
    a limit. What others are claiming or deciding on at this moment is passed over.
    """
    id_ = _id_of(candidates)
    mine = _held_by(session, account)
    held = candidates.where(id_.in_(mine), ~_was_skipped(id_, account)).limit(limit)
    taken = _write(session, session.scalars(held).all() if mine else [], account)
    for queue in (_unseen(candidates, account), _skipped(candidates, account)):
        taken += _claim_first(session, queue, account, limit - len(taken))
    return taken


def waiting(account: Account, *, collection_id: CollectionId | None = None) -> Select[UUID]:
    """Return the query for what this account may decide on, the riskiest first.

    What a hard check holds comes first, then the passages that the model was least sure of.
    A second opinion is offered to whom it was asked of; where nobody was named, to everybody
    but who asked.
    """
    held = exists().where(
        OpenFinding.analysis_id == Standing.analysis_id, OpenFinding.severity == Severity.HARD
    )
    query = (
        select(Standing.analysis_id)
        .join(Analysis, Analysis.id == Standing.analysis_id)
        .where(or_(Standing.state == ReviewState.NEEDS_REVIEW, _is_asked(account)))
        .order_by(held.desc(), Analysis.min_window_logprob, Standing.analysis_id)
    )
    return query.where(Standing.collection_id == collection_id) if collection_id else query


def hold(session: Session, analysis_id: AnalysisId, *, account: Account) -> Claim:
    """Claim this very analysis, or go on holding it.

    Raises:
        NotFoundError: there is no such analysis.
        AlreadyDecidedError: it is decided; undo that first.
        ClaimedError: a colleague holds it.
        WithheldError: its object was closed, or its hand-in withdrawn.
    """
    if session.get(Analysis, analysis_id, with_for_update=True) is None:
        raise NotFoundError("analysis", analysis_id)
    if not _write(session, [analysis_id], account):
        raise _refusal(session, analysis_id)
    return _live(session, [analysis_id])[analysis_id]


def extend(session: Session, *, account: Account) -> datetime:
    """Hold everything that the account holds for another ten minutes; return until when."""
    until = clock.now() + LEASE
    # One that is being decided on or taken in hand at this moment is not waited for.
    mine = (
        select(Claim.analysis_id)
        .where(Claim.account_id == account.id, _is_live())
        .with_for_update(skip_locked=True)
    )
    session.execute(update(Claim).where(Claim.analysis_id.in_(mine)).values(until=until))
    return until


def release(session: Session, analysis_ids: Ids[UUID], *, account: Account) -> None:
    """Give these back, as far as the account holds them: others are offered them at once."""
    session.execute(
        delete(Claim).where(Claim.account_id == account.id, Claim.analysis_id.in_(analysis_ids))
    )


def skip(session: Session, analysis_id: AnalysisId, *, account: Account) -> None:
    """Leave an analysis to others; this account is offered it again when nothing else is left.

    Raises:
        NotFoundError: there is no such analysis.
    """
    if session.get(Analysis, analysis_id) is None:
        raise NotFoundError("analysis", analysis_id)
    row = {"account_id": account.id, "analysis_id": analysis_id, "skipped_at": clock.now()}
    session.execute(
        insert(Skip)
        .values(row)
        .on_conflict_do_update(
            index_elements=["account_id", "analysis_id"], set_={"skipped_at": row["skipped_at"]}
        )
    )
    release(session, [analysis_id], account=account)


def of(session: Session, analysis_ids: Ids[UUID]) -> Mapping[UUID, Claim]:
    """Return who holds which of these analyses now, with their account."""
    return _live(session, analysis_ids)


def _held_by(session: Session, account: Account) -> Sequence[UUID]:
    """Return what the account holds; what it held for too long is forgotten."""
    claims = session.execute(
        select(Claim.analysis_id, _is_live()).where(Claim.account_id == account.id)
    ).all()
    if lapsed := [id_ for id_, is_live in claims if not is_live]:
        release(session, lapsed, account=account)
    return [id_ for id_, is_live in claims if is_live]


def _claim_first(
    session: Session, queue: Select[UUID], account: Account, wanted: int
) -> list[AnalysisId]:
    """Claim the first so many; where somebody was faster, look again behind those."""
    taken: list[AnalysisId] = []
    tried: list[UUID] = []
    while len(taken) < wanted:
        missing = wanted - len(taken)
        rest = queue.where(_id_of(queue).not_in(tried)) if tried else queue
        found = session.scalars(rest.limit(missing)).all()
        taken += _write(session, _lock_free(session, found), account)
        tried += found
        if len(found) < missing:
            break
    return taken


def _live(session: Session, analysis_ids: Ids[UUID]) -> dict[UUID, Claim]:
    found = session.scalars(
        select(Claim)
        .where(Claim.analysis_id.in_(analysis_ids), _is_live())
        .options(joinedload(Claim.account))
        .execution_options(populate_existing=True)
    )
    return {claim.analysis_id: claim for claim in found}


def _is_asked(account: Account) -> ColumnElement[bool]:
    newer = aliased(Review)
    asked_of_all = and_(Review.asked_id.is_(None), Review.account_id != account.id)
    is_newest = ~exists().where(
        newer.analysis_id == Review.analysis_id, newer.number > Review.number
    )
    asked = exists().where(
        Review.analysis_id == Standing.analysis_id,
        or_(Review.asked_id == account.id, asked_of_all),
        is_newest,
    )
    return and_(Standing.state == ReviewState.NEEDS_SECOND, asked)


def _is_live() -> ColumnElement[bool]:
    return Claim.until > clock.now()


def _id_of(candidates: Select[UUID]) -> ColumnElement[UUID]:
    column: ColumnElement[UUID] = candidates.selected_columns[0]
    return column


def _unseen(candidates: Select[UUID], account: Account) -> Select[UUID]:
    id_ = _id_of(candidates)
    return candidates.where(~_is_claimed(id_), ~_was_skipped(id_, account))


def _skipped(candidates: Select[UUID], account: Account) -> Select[UUID]:
    id_ = _id_of(candidates)
    by_others = exists().where(Claim.analysis_id == id_, Claim.account_id != account.id, _is_live())
    return (
        candidates.where(~by_others, Skip.account_id == account.id, Skip.analysis_id == id_)
        .order_by(None)
        .order_by(Skip.skipped_at)
    )


def _was_skipped(id_: ColumnElement[UUID], account: Account) -> ColumnElement[bool]:
    return exists().where(Skip.account_id == account.id, Skip.analysis_id == id_)


def _is_claimed(id_: ColumnElement[UUID]) -> ColumnElement[bool]:
    return exists().where(Claim.analysis_id == id_, _is_live())


def _lock_free(session: Session, found: Sequence[UUID]) -> list[UUID]:
    """Lock those that nobody else has locked, and return them in their order.

    A step of its own: joined to the query, the lock would have Postgres merge two indexes from
    their beginning, through everything that is decided already.
    """
    free = set(
        session.scalars(
            select(Analysis.id)
            .where(Analysis.id.in_(found))
            .with_for_update(key_share=True, skip_locked=True)
        )
    )
    return [id_ for id_ in found if id_ in free]


def _write(session: Session, found: Sequence[UUID], account: Account) -> list[AnalysisId]:
    """Claim what is still open and free; return that, in this order.

    The query that found them may have seen the past. This statement begins after their rows
    were locked, and on a claim that it has not seen the primary key makes it look again.
    """
    if not found:
        return []
    now = clock.now()
    values = (literal(account.id), literal(now + LEASE), literal(now))
    still_open = select(Standing.analysis_id, *values).where(
        Standing.analysis_id.in_(found), Standing.state.in_(OPEN)
    )
    claim = insert(Claim).from_select(
        ["analysis_id", "account_id", "until", "created_at"],
        still_open.order_by(Standing.analysis_id),
    )
    taken_over = claim.excluded
    got = session.scalars(
        claim.on_conflict_do_update(
            index_elements=["analysis_id"],
            set_={
                "account_id": taken_over.account_id,
                "until": taken_over.until,
                "created_at": case(
                    (Claim.until > now, Claim.created_at), else_=taken_over.created_at
                ),
            },
            where=(Claim.account_id == account.id) | (Claim.until <= now),
        ).returning(Claim.analysis_id)
    )
    mine = set(got)
    return [AnalysisId(id_) for id_ in found if id_ in mine]


def _refusal(session: Session, analysis_id: AnalysisId) -> PredellaError:
    newest = select(Review).filter_by(analysis_id=analysis_id).order_by(Review.number.desc())
    review = session.scalar(newest.options(joinedload(Review.account)).limit(1))
    if review is not None and review.decision.settles:
        return AlreadyDecidedError(
            analysis_id, decision=review.decision, reviewer=review.account.display_name
        )
    held = select(Claim).filter_by(analysis_id=analysis_id).options(joinedload(Claim.account))
    claim = session.scalars(held).one_or_none()
    if claim is None:
        return WithheldError(analysis_id)
    return ClaimedError(analysis_id, colleague=claim.account.display_name, until=claim.until)
