from http import HTTPStatus
from typing import Annotated

from fastapi import Query, Response
from fastapi.responses import StreamingResponse

from api.dependencies import AnyReader, AnyRegistrar, DbSession, ObjectStore, Reader
from api.downloads import Wanted, export_file
from api.idempotency import Router
from api.paging import ById, ByNumber, Rows
from api.schemas.base import Page
from api.schemas.exports import ExportIn, ExportLineOut, ExportOut
from predella.formats import profiles
from predella.ids import CollectionId, ExportId
from predella.models import Export
from predella.services import collections, exporting, exports, places

router = Router(prefix="/exports", tags=["exports"])


@router.post("", status_code=HTTPStatus.ACCEPTED, response_model=ExportOut)
def create_export(
    session: DbSession, registrar: AnyRegistrar, body: ExportIn, response: Response
) -> Export:
    """Write the approved wordings of a collection; follow it at the address in `Location`.

    With `since`, an earlier export or a moment, only what changed, and what is withdrawn.
    """
    places.require(session, registrar, "exports:write", collection_id=body.collection_id)
    made = exports.create(
        session,
        collections.get(session, CollectionId(body.collection_id)),
        account=registrar.account,
        format=body.format,
        destination=body.destination,
        profile=body.profile,
        since=body.since,
    )
    response.headers["Location"] = f"/v1/operations/{made.id}"
    return made


@router.get("", response_model=Page[ExportOut])
def list_exports(
    session: DbSession,
    reader: AnyReader,
    paging: ById,
    collection_id: Annotated[CollectionId | None, Query()] = None,
) -> Rows[Export]:
    """List the exports."""
    rows = exports.listed(
        session,
        within=reader.reach("collections:read"),
        collection_id=collection_id,
        after=paging.after,
        limit=paging.limit,
    )
    return paging.page(rows, lambda row: row.id)


@router.get("/{export_id}", response_model=ExportOut)
def get_export(session: DbSession, _reader: Reader, export_id: ExportId) -> Export:
    """Show one export."""
    return exports.get(session, export_id)


@router.get("/{export_id}/lines", response_model=Page[ExportLineOut])
def list_lines(
    session: DbSession, _reader: Reader, export_id: ExportId, paging: ByNumber
) -> Rows[ExportLineOut]:
    """List what left in an export, line by line as in the file."""
    exports.get(session, export_id)
    rows = exports.lines(session, export_id, after=paging.after or 0, limit=paging.limit)
    return paging.page([ExportLineOut.of(row) for row in rows], lambda row: row.number)


@router.get(
    "/{export_id}/file",
    response_class=StreamingResponse,
    responses={
        HTTPStatus.PARTIAL_CONTENT: {"description": "The piece of it that was asked for."},
        HTTPStatus.CONFLICT: {"description": "It has no file, or not yet."},
        HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE: {"description": "It has no such bytes."},
    },
)
def get_file(
    session: DbSession, _reader: Reader, export_id: ExportId, store: ObjectStore, wanted: Wanted
) -> StreamingResponse:
    """Download the file of an export, or with `Range` a piece of it."""
    return export_file(exports.get(session, export_id), store, wanted)


@router.get("/{export_id}/mapping", response_class=Response)
def get_mapping(session: DbSession, _reader: Reader, export_id: ExportId) -> Response:
    """Download the sheet that tells the importer of a catalog what the columns of the file are."""
    export = exports.get(session, export_id)
    name = f"{export.collection.slug}-{export.id}-mapping.csv"
    return Response(
        profiles.mapping(export.format),
        media_type=exporting.file_format(export).MEDIA_TYPE,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
