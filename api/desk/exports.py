"""Exports: what has left for the catalog, line by line, and asking for the next."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response, UploadFile
from fastapi.responses import RedirectResponse, StreamingResponse

from api.dependencies import AnyReader, AnyRegistrar, DbSession, ObjectStore, Reader
from api.desk.listing import LIMIT, AfterNumber, Before, listed
from api.desk.rendering import page
from api.downloads import Wanted, export_file
from api.routes.exports import get_mapping
from predella.errors import InvalidError
from predella.formats import profiles
from predella.ids import CollectionId, ExportId
from predella.models import ExportFormat
from predella.services import collections, deltas, exports, places

router = APIRouter(prefix="/desk/exports")


@router.get("")
def exports_page(
    request: Request, session: DbSession, reader: AnyReader, before: Before = None
) -> Response:
    """Show the exports, the newest first."""
    latest = exports.latest(
        session, within=reader.reach("collections:read"), before=before, limit=LIMIT
    )
    found = listed(latest, lambda one: one.id)
    return page(
        request,
        "exports.html",
        principal=reader,
        rows=found.rows,
        next=found.next,
        formats=list(ExportFormat),
        collections=collections.listed(session, within=reader.reach("exports:write"), limit=200),
    )


@router.post("")
def ask(
    session: DbSession,
    registrar: AnyRegistrar,
    collection_id: Annotated[CollectionId, Form()],
    format: Annotated[ExportFormat, Form()],  # noqa: A002  (the word of the API)
    *,
    changes: Annotated[bool, Form()] = False,
    profile: UploadFile | None = None,
) -> Response:
    """Ask for an export, and lead to how far it has come.

    With ``changes`` it follows the newest one like it; where there is none, it has everything.
    """
    columns = _columns(profile)
    places.require(session, registrar, "exports:write", collection_id=collection_id)
    made = exports.create(
        session,
        collections.get(session, collection_id),
        account=registrar.account,
        format=format,
        profile=columns,
        since=deltas.newest(session, collection_id, format, columns) if changes else None,
    )
    return RedirectResponse(f"/desk/exports/{made.id}", HTTPStatus.SEE_OTHER)


def _columns(profile: UploadFile | None) -> str | None:
    """Return a museum's own columns as they stand in its file, if it sent one."""
    if profile is None or not profile.filename:
        return None
    try:
        return profile.file.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidError(f"{profile.filename} is not in UTF-8: save it so") from error


@router.get("/{export_id}")
def export_page(
    request: Request,
    session: DbSession,
    reader: Reader,
    export_id: ExportId,
    after: AfterNumber = 0,
) -> Response:
    """Show one export and its lines."""
    found = exports.lines(session, export_id, after=after, limit=LIMIT)
    return page(
        request,
        "export.html",
        principal=reader,
        export=exports.get(session, export_id),
        lines=listed(found, lambda one: one.number),
        mappings=profiles.MAPPINGS,
    )


@router.get("/{export_id}/progress")
def progress_part(
    request: Request, session: DbSession, reader: Reader, export_id: ExportId
) -> Response:
    """Show only how far an export has come, for a page that looks again and again."""
    export = exports.get(session, export_id)
    return page(request, "export_progress.html", principal=reader, export=export)


@router.get("/{export_id}/file")
def file(
    session: DbSession, _reader: Reader, export_id: ExportId, store: ObjectStore, wanted: Wanted
) -> StreamingResponse:
    """Download the file of an export, or a piece of it."""
    return export_file(exports.get(session, export_id), store, wanted)


@router.get("/{export_id}/mapping")
def mapping(session: DbSession, reader: Reader, export_id: ExportId) -> Response:
    """Download the sheet that tells the importer of a catalog what the columns of the file are."""
    return get_mapping(session, reader, export_id)
