"""Selections: what a query finds, frozen and counted, so that all of it can be decided on."""

from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Integer, LargeBinary, Uuid, func, insert, literal, select, true
from sqlalchemy.orm import Session, joinedload

from predella import clock
from predella.db import rowset
from predella.errors import InvalidError, NotFoundError
from predella.ids import SelectionId
from predella.models import Account, Opening, Revision, Selection, SelectionMember
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
    session: Session, search: Search, *, account: Account, limit: int | None = None
) -> Selection:
    """Return what a search finds now, each with its newest wording, in the order of risk.

    For 24 hours its owner may decide on it. Its sha256 names the list.

    Raises:
        InvalidError: nothing is found, or without a limit more than 10,000.
    """
    found = _newest_wordings(session, search, limit or MAX_MEMBERS + 1)
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


def opened(session: Session, selection_id: SelectionId, *, account: Account) -> int:
    """Return how many of its wordings this account has had open."""
    return session.scalars(
        select(func.count())
        .select_from(SelectionMember)
        .join(Opening, Opening.revision_id == SelectionMember.revision_id)
        .where(SelectionMember.selection_id == selection_id, Opening.account_id == account.id)
    ).one()


def _newest_wordings(session: Session, search: Search, limit: int) -> Sequence[_Wording]:
    found = (
        searches.select(search, order=Order.RISK)
        .add_columns(func.row_number().over(order_by=searches.clauses(Order.RISK)).label("number"))
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
