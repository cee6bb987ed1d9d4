"""Glossaries: the lists of terms that texts of a collection should not use."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response, UploadFile
from fastapi.responses import RedirectResponse

from api.dependencies import AnyKeeper, AnyReader, DbSession, Keeper, Reader
from api.desk.listing import LIMIT, AfterNumber, listed
from api.desk.rendering import page
from predella.formats import glossary as files
from predella.formats.glossary import Labels
from predella.ids import CollectionId, GlossaryId
from predella.services import collections, glossaries, places

router = APIRouter(prefix="/desk/glossaries")


@router.get("")
def glossaries_page(request: Request, session: DbSession, reader: AnyReader) -> Response:
    """Show the lists of each collection."""
    reach = reader.reach("collections:read")
    known = collections.listed(session, within=reach, limit=200)
    return page(
        request,
        "glossaries.html",
        principal=reader,
        rows=[(one, glossaries.listed(session, CollectionId(one.id))) for one in known],
    )


@router.post("")
def bring(
    session: DbSession,
    keeper: AnyKeeper,
    *,
    collection_id: Annotated[CollectionId, Form()],
    name: Annotated[str, Form(max_length=63)],
    file: UploadFile,
    labels: Annotated[Labels, Form()] = "alternative",
) -> Response:
    """Read a list out of a file, and lead to it; a list of this name is replaced."""
    places.require(session, keeper, "collections:write", collection_id=collection_id)
    entries = files.read(file.file.read(), file.filename or "", labels=labels)
    kept = glossaries.keep(
        session,
        collections.get(session, collection_id),
        name=name.strip(),
        entries=entries,
        account=keeper.account,
    )
    return RedirectResponse(f"/desk/glossaries/{kept.id}", HTTPStatus.SEE_OTHER)


@router.get("/{glossary_id}")
def glossary_page(
    request: Request,
    session: DbSession,
    reader: Reader,
    glossary_id: GlossaryId,
    after: AfterNumber = 0,
) -> Response:
    """Show one version of a list, with its terms and the other versions."""
    glossary = glossaries.get(session, glossary_id)
    found = glossaries.terms_of(session, glossary, after=after, limit=LIMIT)
    return page(
        request,
        "glossary.html",
        principal=reader,
        glossary=glossary,
        collection=collections.get(session, CollectionId(glossary.collection_id)),
        versions=glossaries.versions(session, glossary),
        terms=listed(found, lambda one: one.number),
    )


@router.post("/{glossary_id}/drop")
def drop(session: DbSession, keeper: Keeper, glossary_id: GlossaryId) -> Response:
    """Have the checks forget a list: its next version has no terms."""
    glossary = glossaries.get(session, glossary_id)
    kept = glossaries.keep(
        session,
        collections.get(session, CollectionId(glossary.collection_id)),
        name=glossary.name,
        entries=(),
        account=keeper.account,
    )
    return RedirectResponse(f"/desk/glossaries/{kept.id}", HTTPStatus.SEE_OTHER)
