"""The gates of many objects: pasted, counted first, and changed by a second click."""

from http import HTTPStatus
from io import BytesIO
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field

from api.dependencies import DbSession, Reader, Submitter
from api.desk.objects import day
from api.desk.rendering import page
from predella.errors import InvalidError
from predella.formats.manifest import gate_rows
from predella.ids import CollectionId
from predella.models import Sensitivity
from predella.services import collections, gates
from predella.services.accounts import Principal
from predella.services.gates import Change, Counted

router = APIRouter(prefix="/desk/objects")

Permission = Literal["", "allowed", "denied"]
_SHOWN = 200
"""Unknown numbers that are named."""


class Filled(BaseModel):
    """What somebody filled in; what is empty stays as it is."""

    numbers: Annotated[str, Field(max_length=2_000_000)] = ""
    """One on a line; or CSV with a header, with what each is to be."""
    sensitivity: Sensitivity | Literal[""] = ""
    sensitivity_note: Annotated[str, Field(max_length=2_000)] = ""
    ai_processing: Permission = ""
    exportable: Permission = ""
    embargo_until: Annotated[str, Field(max_length=10)] = ""
    rights_work: Annotated[str, Field(max_length=1_000)] = ""
    clear: list[str] = []
    reason: Annotated[str, Field(max_length=2_000)] = ""
    confirmed: bool = False

    @property
    def said(self) -> list[tuple[str, str]]:
        """The same once more, field by field, for the click that confirms it."""
        fields = self.model_dump(exclude={"clear", "confirmed"}, mode="json")
        return [*fields.items(), *(("clear", name) for name in self.clear)]

    def wanted(self) -> dict[str, Change]:
        """Return the changes by object number.

        Raises:
            InvalidError: something of it cannot be read.
        """
        of_all = Change(
            sensitivity=Sensitivity(self.sensitivity) if self.sensitivity else None,
            sensitivity_note=self.sensitivity_note.strip() or None,
            ai_processing=_is_allowed(self.ai_processing),
            exportable=_is_allowed(self.exportable),
            embargo_until=day(self.embargo_until.strip()),
            rights_work=self.rights_work.strip() or None,
            clear=self.clear,
        )
        own = gate_rows.read(BytesIO(self.numbers.encode()))
        return {number: of_all.but(said) for number, said in own.items()}


@router.get("/{slug}")
def objects_page(
    request: Request, session: DbSession, reader: Reader, slug: str, kept: int | None = None
) -> Response:
    """Show the form for many objects at once."""
    return _show(request, session, reader, slug, Filled(), kept=kept)


@router.post("/{slug}")
def change_objects(
    request: Request,
    session: DbSession,
    submitter: Submitter,
    slug: str,
    filled: Annotated[Filled, Form()],
) -> Response:
    """Count what a change would do; change it once that was seen."""
    within = CollectionId(collections.by_slug(session, slug).id)
    try:
        wanted = filled.wanted()
        counted = gates.count(session, within, wanted)
        gates.usable_reason(filled.reason)
    except InvalidError as error:
        return _show(request, session, submitter, slug, filled, refusal=error)
    if not filled.confirmed or counted.unknown:
        return _show(request, session, submitter, slug, filled, counted=counted)
    gates.change_many(session, within, wanted, account=submitter.account, reason=filled.reason)
    return RedirectResponse(f"/desk/objects/{slug}?kept={counted.changed}", HTTPStatus.SEE_OTHER)


def _show(
    request: Request,
    session: DbSession,
    principal: Principal,
    slug: str,
    filled: Filled,
    *,
    counted: Counted | None = None,
    refusal: InvalidError | None = None,
    kept: int | None = None,
) -> Response:
    return page(
        request,
        "objects.html",
        principal=principal,
        status=HTTPStatus.UNPROCESSABLE_ENTITY if refusal else HTTPStatus.OK,
        collection=collections.by_slug(session, slug),
        filled=filled,
        said=filled.said,
        counted=counted,
        unknown=counted.unknown[:_SHOWN] if counted else (),
        refusal=refusal,
        kept=kept,
        sensitivities=list(Sensitivity),
    )


def _is_allowed(said: Permission) -> bool | None:
    return said == "allowed" if said else None
