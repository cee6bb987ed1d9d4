from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated

from fastapi import Query

from api.dependencies import AnyApprover, AnyReader, Approver, DbSession, Reader
from api.idempotency import Router
from api.paging import ById, Rows
from api.schemas.base import Page
from api.schemas.lots import LotIn, LotOut, LotView, SampledOut
from predella.ids import AnalysisId, CollectionId, LotId
from predella.models import Client, Lot
from predella.services import collections, lots, places, searches
from predella.services.lots import Sampled

router = Router(prefix="/lots", tags=["lots"])


@router.post("", status_code=HTTPStatus.CREATED, response_model=LotOut)
def create_lot(session: DbSession, approver: AnyApprover, body: LotIn) -> Lot:
    """Freeze a lot of texts that need review, and draw the sample to read."""
    places.require(session, approver, "approvals:write", collection_id=body.collection_id)
    named, account = body.analysis_ids, approver.account
    reach = approver.reach("approvals:write")
    return lots.create(
        session,
        collection=collections.get(session, CollectionId(body.collection_id)),
        plan=body.plan,
        account=account,
        search=searches.parse(session, body.query, account=account, within=reach),
        analysis_ids=[AnalysisId(one) for one in named] if named is not None else None,
    )


@router.get("", response_model=Page[LotOut])
def list_lots(
    session: DbSession,
    reader: AnyReader,
    paging: ById,
    collection_id: Annotated[CollectionId | None, Query()] = None,
) -> Rows[Lot]:
    """List the lots."""
    rows = lots.listed(
        session,
        within=reader.reach("collections:read"),
        collection_id=collection_id,
        after=paging.after,
        limit=paging.limit,
    )
    return paging.page(rows, lambda row: row.id)


@router.get("/{lot_id}")
def get_lot(session: DbSession, _reader: Reader, lot_id: LotId) -> LotView:
    """Show one lot, and how far the reading of its sample has come."""
    return _view(session, lots.get(session, lot_id))


@router.get("/{lot_id}/sample", response_model=list[SampledOut])
def list_sample(session: DbSession, _reader: Reader, lot_id: LotId) -> Sequence[Sampled]:
    """List the texts to read, in the order of reading; deciding on them is ordinary review."""
    return lots.sample(session, lots.get(session, lot_id))


@router.post("/{lot_id}/conclusion")
def conclude_lot(session: DbSession, approver: Approver, lot_id: LotId) -> LotView:
    """Let the sample decide: what nobody read is accepted by sample, or nothing is."""
    lot = lots.conclude(session, lot_id, account=approver.account, client=Client.API)
    return _view(session, lot)


@router.delete("/{lot_id}/conclusion")
def revert_lot(session: DbSession, approver: Approver, lot_id: LotId) -> LotView:
    """Reopen what a lot accepted."""
    lot = lots.revert(session, lot_id, account=approver.account, client=Client.API)
    return _view(session, lot)


def _view(session: DbSession, lot: Lot) -> LotView:
    return LotView.of(lot, lots.progress(session, lot))
