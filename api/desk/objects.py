"""Objects: what may be done with each, and opening or closing it."""

from datetime import date
from http import HTTPStatus
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from api.dependencies import DbSession, Reader, Submitter
from api.desk.rendering import page
from predella.errors import InvalidError
from predella.ids import CollectionId
from predella.models import Sensitivity
from predella.services import collections, gates
from predella.services.gates import Change

router = APIRouter(prefix="/desk/objects")


@router.get("/{slug}/{object_number:path}")
def object_page(
    request: Request,
    session: DbSession,
    reader: Reader,
    slug: str,
    object_number: str,
    *,
    kept: bool = False,
) -> Response:
    """Show what may be done with an object, who said so and why."""
    collection = collections.by_slug(session, slug)
    within = CollectionId(collection.id)
    return page(
        request,
        "object.html",
        principal=reader,
        collection=collection,
        gate=gates.get(session, within, object_number),
        beside=gates.beside(session, within, object_number),
        sensitivities=list(Sensitivity),
        kept=kept,
    )


@router.post("/{slug}/{object_number:path}")
def change_object(
    session: DbSession,
    submitter: Submitter,
    slug: str,
    object_number: str,
    *,
    sensitivity: Annotated[Sensitivity, Form()],
    reason: Annotated[str, Form(max_length=2_000)],
    sensitivity_note: Annotated[str, Form(max_length=2_000)] = "",
    ai_processing: Annotated[bool, Form()] = False,
    exportable: Annotated[bool, Form()] = False,
    embargo_until: Annotated[str, Form(max_length=10)] = "",
    rights_work: Annotated[str, Form(max_length=1_000)] = "",
) -> Response:
    """Open or close an object as the whole form says."""
    empty = {
        "sensitivity_note": sensitivity_note.strip(),
        "embargo_until": embargo_until.strip(),
        "rights_work": rights_work.strip(),
    }
    gates.change(
        session,
        CollectionId(collections.by_slug(session, slug).id),
        object_number,
        Change(
            sensitivity=sensitivity,
            sensitivity_note=empty["sensitivity_note"] or None,
            ai_processing=ai_processing,
            exportable=exportable,
            embargo_until=day(empty["embargo_until"]),
            rights_work=empty["rights_work"] or None,
            clear=[name for name, said in empty.items() if not said],
        ),
        account=submitter.account,
        reason=reason,
    )
    return RedirectResponse(
        f"/desk/objects/{slug}/{quote(object_number)}?kept=1", HTTPStatus.SEE_OTHER
    )


def day(said: str) -> date | None:
    """Return the day that a field says; None for an empty one.

    Raises:
        InvalidError: it is no day.
    """
    try:
        return date.fromisoformat(said) if said else None
    except ValueError as error:
        raise InvalidError(f"{said!r} is no day; write it like 2031-12-31") from error
