"""Collections: what is known of each, how its texts are checked and decided on."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData

from api.dependencies import AnyReader, DbSession, Keeper, Reader
from api.desk.listing import LIMIT, After, listed
from api.desk.rendering import page
from predella.checks import CheckName, Severity
from predella.checks.thresholds import LengthThresholds, Thresholds
from predella.ids import CollectionId
from predella.services import collections, glossaries, prompts, rules, searches
from predella.settings import get_settings

router = APIRouter(prefix="/desk/collections")


async def _fields(request: Request) -> FormData:
    return await request.form()


Fields = Annotated[FormData, Depends(_fields)]


@router.get("")
def collections_page(
    request: Request, session: DbSession, reader: AnyReader, after: After = None
) -> Response:
    """Show the collections, the oldest first."""
    reach = reader.reach("collections:read")
    found = collections.listed(session, within=reach, after=after, limit=LIMIT)
    shown = listed(found, lambda one: one.id)
    return page(
        request,
        "collections.html",
        principal=reader,
        rows=[
            (one, searches.facets(session, CollectionId(one.id), within=reach))
            for one in shown.rows
        ],
        next=shown.next,
        buckets=sorted(get_settings().source_buckets),
    )


@router.post("")
def open_one(
    session: DbSession,
    _keeper: Keeper,
    *,
    slug: Annotated[str, Form(max_length=63)],
    name: Annotated[str, Form(max_length=200)],
    institution: Annotated[str, Form(max_length=200)],
    bucket: Annotated[str, Form(max_length=200)],
    prefix: Annotated[str, Form(max_length=1_000)] = "",
    language: Annotated[str, Form(max_length=35)] = "en",
    credit_line: Annotated[str, Form(max_length=1_000)] = "",
) -> Response:
    """Open a collection, and lead to it."""
    made = collections.create(
        session,
        slug=slug.strip(),
        name=name,
        institution=institution,
        bucket=bucket.strip(),
        prefix=prefix.strip(),
        language=language.strip(),
        credit_line=credit_line,
    )
    return RedirectResponse(f"/desk/collections/{made.slug}", HTTPStatus.SEE_OTHER)


@router.get("/{slug}")
def collection_page(
    request: Request, session: DbSession, reader: Reader, slug: str, *, kept: bool = False
) -> Response:
    """Show one collection: its facts, its counts, its prompt, its rules and its thresholds."""
    collection = collections.by_slug(session, slug)
    collection_id, settings = CollectionId(collection.id), get_settings()
    return page(
        request,
        "collection.html",
        principal=reader,
        collection=collection,
        kept=kept,
        facets=searches.facets(session, within={collection_id}),
        glossaries=glossaries.listed(session, collection_id),
        prompts=prompts.listed(session),
        rules=rules.of(collection),
        public_url=settings.public_url,
        oai_email=settings.oai_email,
        oai_address=f"{settings.desk_url}/oai",
        thresholds=collections.thresholds_of(collection),
        usual=Thresholds(),
        checks=list(CheckName),
        severities=list(Severity),
        kinds=list(LengthThresholds.model_fields),
    )


@router.post("/{slug}/facts")
def say(
    session: DbSession,
    _keeper: Keeper,
    slug: str,
    *,
    name: Annotated[str, Form(max_length=200)],
    institution: Annotated[str, Form(max_length=200)],
    language: Annotated[str, Form(max_length=35)],
    institution_uri: Annotated[str, Form(max_length=500)] = "",
    credit_line: Annotated[str, Form(max_length=500)] = "",
    text_rights: Annotated[str, Form(max_length=500)] = "",
    concept_uri: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Choose what exports say of a collection; an empty field says nothing."""
    said = {
        "name": name,
        "institution": institution,
        "institution_uri": institution_uri,
        "language": language.strip(),
        "credit_line": credit_line,
        "text_rights": text_rights,
        "concept_uri": concept_uri,
    }
    collections.change(session, collections.by_slug(session, slug), said)
    return _back(slug)


@router.post("/{slug}/prompt")
def choose_prompt(
    session: DbSession, _keeper: Keeper, slug: str, prompt: Annotated[str, Form(max_length=200)]
) -> Response:
    """Choose what is asked about the pictures that are handed in from now on."""
    collections.choose_prompt(session, collections.by_slug(session, slug), prompt)
    return _back(slug)


@router.post("/{slug}/numbering")
def choose_numbering(
    session: DbSession,
    _keeper: Keeper,
    slug: str,
    *,
    number_pattern: Annotated[str, Form(max_length=500)] = "",
    number_field: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Choose where hand-ins from now on take object numbers from."""
    collections.choose_numbering(
        session,
        collections.by_slug(session, slug),
        pattern=number_pattern.strip(),
        field=number_field.strip(),
    )
    return _back(slug)


@router.post("/{slug}/rules")
def choose_rules(
    session: DbSession,
    _keeper: Keeper,
    slug: str,
    *,
    reading_floor: Annotated[bool, Form()] = False,
    second_approver: Annotated[bool, Form()] = False,
    export_sampled: Annotated[bool, Form()] = False,
    open_to_harvesters: Annotated[bool, Form()] = False,
) -> Response:
    """Choose how texts are decided on, and who may harvest them."""
    chosen = {
        "reading_floor": reading_floor,
        "second_approver": second_approver,
        "export_sampled": export_sampled,
        "open_to_harvesters": open_to_harvesters,
    }
    rules.choose(session, collections.by_slug(session, slug), chosen)
    return _back(slug)


@router.post("/{slug}/thresholds")
def choose_thresholds(session: DbSession, _keeper: Keeper, slug: str, fields: Fields) -> Response:
    """Choose from where on each check speaks, and how loudly."""
    collection = collections.by_slug(session, slug)
    collections.choose_thresholds(session, collection, _thresholds(fields))
    return _back(slug)


def _back(slug: str) -> Response:
    return RedirectResponse(f"/desk/collections/{slug}?kept=1", HTTPStatus.SEE_OTHER)


def _thresholds(fields: FormData) -> Mapping[str, Any]:
    """Return what a form says, as `Thresholds` reads it; a field that is empty is as usual."""
    said = {key: value.strip() for key, value in fields.items() if isinstance(value, str)}
    loudness = {check: said.get(f"check.{check}", "") for check in CheckName}
    lengths = {
        kind: {end: said[key] for end in ("least", "most") if said.get(key := f"{kind}.{end}")}
        for kind in LengthThresholds.model_fields
    }
    names = (name.strip() for name in said.get("names_allowed", "").splitlines())
    return {
        "off": [check for check, chosen in loudness.items() if chosen == "off"],
        "severities": {check: one for check, one in loudness.items() if one not in {"", "off"}},
        "length": {kind: ends for kind, ends in lengths.items() if ends},
        "names_allowed": [name for name in names if name],
        **{key: said[key] for key in ("colour_share", "similarity", "reused_in") if said.get(key)},
    }
