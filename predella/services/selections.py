"""Selections: what a query finds, frozen and counted, so that all of it can be decided on."""

from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import (
    Integer,
    LargeBinary,
    Select,
    Uuid,
    func,
    insert,
    literal,
    select,
    true,
)
from sqlalchemy.orm import Session, joinedload

from predella import clock
from predella.db import rowset
from predella.errors import InvalidError, NotFoundError
from predella.ids import AnalysisId, SelectionId
from predella.models import (
    Account,
    Collection,
    Opening,
    Revision,
    Selection,
    SelectionMember,
    Standing,
)
from predella.services import searches
from predella.services.searches import Order, Search

MAX_MEMBERS = 10_000
"""Of one selection."""
_KEPT = timedelta(hours=24)


class _Wording(NamedTuple):
    analysis_id: UUID
    id: UUID
    sha256: bytes


def freeze(
    session: Session,
    search: Search,
    *,
    account: Account,
    limit: int | None = None,
    only: Sequence[AnalysisId] | None = None,
) -> Selection:
    """Return what a search finds now, each with its newest wording, in the order of risk.

    With ``only``, of these alone. For 24 hours its owner may decide on it. Its sha256 names
    the list.

    Raises:
        InvalidError: nothing is found, or without a limit more than 10,000.
    """
    wanted = searches.select(search, order=Order.RISK)
    if only is not None:
        wanted = wanted.where(Standing.analysis_id.in_(only))
    found = _newest_wordings(session, wanted, limit or MAX_MEMBERS + 1)
    if not found:
        raise InvalidError("the query finds nothing")
    if len(found) > MAX_MEMBERS:
        raise InvalidError(
            f"the query finds more than {MAX_MEMBERS:,} texts; narrow it, or set a limit"
        )
    now = clock.now()
    selection = Selection(
        created_at=now,
        account=account,
        query=str(search),
        count=len(found),
        sha256=_digest(found),
        expires_at=now + _KEPT,
    )
    session.add(selection)
    session.flush()
    _keep(session, selection.id, found)
    return selection


def get(session: Session, selection_id: SelectionId) -> Selection:
    """Return a selection, with who froze it.

    Raises:
        NotFoundError: there is none.
    """
    found = session.get(Selection, selection_id, options=[joinedload(Selection.account)])
    if found is None:
        raise NotFoundError("selection", selection_id)
    return found


def opened(session: Session, selection_id: SelectionId, *, account: Account | None = None) -> int:
    """Return how many of its wordings this account has had open; or anybody, if none is named."""
    was_open = select(Opening.revision_id).where(Opening.revision_id == SelectionMember.revision_id)
    if account is not None:
        was_open = was_open.where(Opening.account_id == account.id)
    return session.scalars(
        select(func.count())
        .select_from(SelectionMember)
        .where(SelectionMember.selection_id == selection_id, was_open.exists())
    ).one()


def members(selection_id: SelectionId) -> Select[UUID]:
    """Return the statement that finds the ids of its analyses."""
    return select(SelectionMember.analysis_id).where(SelectionMember.selection_id == selection_id)


def collections(session: Session, selection_id: SelectionId) -> Sequence[Collection]:
    """Return the collections that its analyses are of, by name."""
    of = select(Standing.collection_id).where(Standing.analysis_id.in_(members(selection_id)))
    return session.scalars(
        select(Collection).where(Collection.id.in_(of)).order_by(Collection.name)
    ).all()


def _newest_wordings(session: Session, wanted: Select[UUID], limit: int) -> Sequence[_Wording]:
    found = (
        wanted.add_columns(
            func.row_number().over(order_by=searches.clauses(Order.RISK)).label("number")
        )
        .limit(limit)
        .subquery()
    )
    newest = (
        select(Revision.id, Revision.sha256)
        .where(Revision.analysis_id == found.c.analysis_id)
        .order_by(Revision.number.desc())
        .limit(1)
        .lateral()
    )
    rows = session.execute(
        select(found.c.analysis_id, newest.c.id, newest.c.sha256)
        .join(newest, true())
        .order_by(found.c.number)
    )
    return [_Wording(*row) for row in rows]


def _digest(found: Sequence[_Wording]) -> bytes:
    lines = (f"{one.analysis_id} {one.sha256.hex()}\n" for one in found)
    return sha256("".join(lines).encode()).digest()


def _keep(session: Session, selection_id: UUID, found: Sequence[_Wording]) -> None:
    rows = rowset(
        number=(Integer(), list(range(1, len(found) + 1))),
        analysis_id=(Uuid(), [one.analysis_id for one in found]),
        revision_id=(Uuid(), [one.id for one in found]),
        revision_sha256=(LargeBinary(), [one.sha256 for one in found]),
    )
    members = select(literal(selection_id).label("selection_id"), *rows.c)
    session.execute(insert(SelectionMember).from_select(members.selected_columns.keys(), members))
