"""Lots: many texts accepted, or refused, by reading a sample of them."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from api.dependencies import AnyApprover, AnyReader, Approver, DbSession, Reader
from api.desk.listing import LIMIT, Before, listed
from api.desk.rendering import page
from predella.formats.query import MAX_LENGTH
from predella.ids import CollectionId, LotId
from predella.models import Client
from predella.sampling import TERMS, Plan
from predella.services import analyses, collections, lots, places, searches

router = APIRouter(prefix="/desk/lots")


@router.get("")
def lots_page(
    request: Request, session: DbSession, reader: AnyReader, before: Before = None
) -> Response:
    """Show the lots, the newest first."""
    reach = reader.reach("collections:read")
    latest = lots.latest(session, within=reach, before=before, limit=LIMIT)
    found = listed(latest, lambda one: one.id)
    return page(
        request,
        "lots.html",
        principal=reader,
        rows=found.rows,
        next=found.next,
        plans=TERMS,
        collections=collections.listed(session, within=reader.reach("approvals:write"), limit=200),
    )


@router.post("")
def make(
    session: DbSession,
    approver: AnyApprover,
    collection_id: Annotated[CollectionId, Form()],
    plan: Annotated[Plan, Form()],
    query: Annotated[str, Form(max_length=MAX_LENGTH)] = "",
) -> Response:
    """Freeze a lot of all that a query finds and that can be in one, and lead to it."""
    places.require(session, approver, "approvals:write", collection_id=collection_id)
    account, reach = approver.account, approver.reach("approvals:write")
    made = lots.create(
        session,
        collection=collections.get(session, collection_id),
        plan=plan,
        account=account,
        search=searches.parse(session, query, account=account, within=reach),
    )
    return _to(LotId(made.id))


@router.get("/{lot_id}")
def lot_page(request: Request, session: DbSession, reader: Reader, lot_id: LotId) -> Response:
    """Show one lot, its sample, and what the sample says so far."""
    lot = lots.get(session, lot_id)
    sample = lots.sample(session, lot)
    return page(
        request,
        "lot.html",
        principal=reader,
        lot=lot,
        progress=lots.progress(session, lot),
        sample=sample,
        object_numbers=analyses.object_numbers(session, [one.analysis_id for one in sample]),
    )


@router.post("/{lot_id}/conclusion")
def conclude(session: DbSession, approver: Approver, lot_id: LotId) -> Response:
    """Let the sample decide."""
    lots.conclude(session, lot_id, account=approver.account, client=Client.DESK)
    return _to(lot_id)


@router.post("/{lot_id}/reversal")
def revert(session: DbSession, approver: Approver, lot_id: LotId) -> Response:
    """Reopen what a lot accepted."""
    lots.revert(session, lot_id, account=approver.account, client=Client.DESK)
    return _to(lot_id)


def _to(lot_id: LotId) -> Response:
    return RedirectResponse(f"/desk/lots/{lot_id}", HTTPStatus.SEE_OTHER)
