"""Claims: who has which open analysis on screen, so that two people never read the same.

A claim lasts ten minutes from the last sign of life. It keeps others from being *offered* the
analysis; it decides nothing, and nobody needs one to decide.
"""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Collection as Ids
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
from predella.errors import (
    AlreadyDecidedError,
    ClaimedError,
    NotFoundError,
    PredellaError,
    WithheldError,
)
from predella.ids import AnalysisId
from predella.models import (
    Account,
    Analysis,
    Claim,
    Review,
    ReviewState,
    Skip,
    Standing,
)
from predella.services import searches
from predella.services.searches import OPEN_STATES, Order, Search

LEASE = timedelta(minutes=10)
MAX_CLAIMS = 5
"""Taken at once: one to read, and the next ones to be fetched meanwhile."""


def take(
    session: Session,
    search: Search,
    *,
    account: Account,
    order: Order = Order.RISK,
    limit: int = MAX_CLAIMS,
) -> Sequence[AnalysisId]:
    """Claim the first open texts of a search that may be offered; return them in its order.

    Those that the account holds already come first: it goes on where it was. Those that it
    skipped come last, when nothing else is left. A second opinion is offered to whom it was
    asked of; where nobody was named, to everybody but who asked.

    What others are claiming or deciding on at this moment is passed over.
    """
    wanted = search.still_open
    taken = _write(session, _held(session, wanted, account, order, limit), account)
    unseen = (~_is_claimed(), ~_was_skipped(account), _is_offered(account))
    taken += _claim_first(
        session,
        lambda tried, missing: (
            searches.page(
                session, wanted, order=order, limit=missing, also=(*unseen, *_behind(tried))
            ).ids
        ),
        account,
        limit - len(taken),
    )
    taken += _claim_first(
        session,
        lambda tried, missing: session.scalars(
            _skipped(wanted, account).where(*_behind(tried)).limit(missing)
        ).all(),
        account,
        limit - len(taken),
    )
    return taken


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


def _held(
    session: Session, search: Search, account: Account, order: Order, limit: int
) -> Sequence[AnalysisId]:
    """Find what the account holds of a search; what it held for too long is forgotten."""
    claims = session.execute(
        select(Claim.analysis_id, _is_live()).where(Claim.account_id == account.id)
    ).all()
    if lapsed := [id_ for id_, is_live in claims if not is_live]:
        release(session, lapsed, account=account)
    mine = [id_ for id_, is_live in claims if is_live]
    if not mine:
        return []
    also = (Standing.analysis_id.in_(mine), ~_was_skipped(account))
    return searches.page(session, search, order=order, limit=limit, also=also).ids


def _claim_first(
    session: Session,
    find: Callable[[Sequence[UUID], int], Sequence[UUID]],
    account: Account,
    wanted: int,
) -> list[AnalysisId]:
    """Claim the first so many; where somebody was faster, look again behind those."""
    taken: list[AnalysisId] = []
    tried: list[UUID] = []
    while len(taken) < wanted:
        missing = wanted - len(taken)
        found = find(tried, missing)
        taken += _write(session, _lock_free(session, found), account, _is_offered(account))
        tried += found
        if len(found) < missing:
            break
    return taken


def _behind(tried: Sequence[UUID]) -> Sequence[ColumnElement[bool]]:
    return [Standing.analysis_id.not_in(tried)] if tried else []


def _live(session: Session, analysis_ids: Ids[UUID]) -> dict[UUID, Claim]:
    found = session.scalars(
        select(Claim)
        .where(Claim.analysis_id.in_(analysis_ids), _is_live())
        .options(joinedload(Claim.account))
        .execution_options(populate_existing=True)
    )
    return {claim.analysis_id: claim for claim in found}


def _is_offered(account: Account) -> ColumnElement[bool]:
    """Say whom a standing is offered to: the one rule about second opinions."""
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
    return or_(Standing.state == ReviewState.NEEDS_REVIEW, asked)


def _is_live() -> ColumnElement[bool]:
    return Claim.until > clock.now()


def _skipped(search: Search, account: Account) -> Select[UUID]:
    by_others = exists().where(
        Claim.analysis_id == Standing.analysis_id, Claim.account_id != account.id, _is_live()
    )
    return (
        searches.select(search)
        .where(~by_others, _is_offered(account))
        .where(Skip.account_id == account.id, Skip.analysis_id == Standing.analysis_id)
        .order_by(None)
        .order_by(Skip.skipped_at)
    )


def _was_skipped(account: Account) -> ColumnElement[bool]:
    return exists().where(Skip.account_id == account.id, Skip.analysis_id == Standing.analysis_id)


def _is_claimed() -> ColumnElement[bool]:
    return exists().where(Claim.analysis_id == Standing.analysis_id, _is_live())


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


def _write(
    session: Session, found: Sequence[UUID], account: Account, *also: ColumnElement[bool]
) -> list[AnalysisId]:
    """Claim what is still open and free, and as it has to be; return that, in this order.

    The query that found them may have seen the past. This statement begins after their rows
    were locked, and on a claim that it has not seen the primary key makes it look again.
    """
    if not found:
        return []
    now = clock.now()
    values = (literal(account.id), literal(now + LEASE), literal(now))
    still_open = select(Standing.analysis_id, *values).where(
        Standing.analysis_id.in_(found), Standing.state.in_(OPEN_STATES), *also
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
