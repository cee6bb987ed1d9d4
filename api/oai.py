"""OAI-PMH 2.0 at ``/oai``: what anybody may harvest of collections that are open to harvesters.

What is wrong with a request is told in the words of the protocol, with status 200; too many
requests, as the protocol has it, with 503 and when to come again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Annotated
from urllib.parse import parse_qsl, unquote, urlsplit

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from sqlalchemy.orm import Session

from api import limiting, signing_in
from api.dependencies import DbSession
from predella import clock
from predella.formats import oai
from predella.formats.oai import ErrorCode, Header, Listing, Record, RefusedError, Token, Verb
from predella.services import records
from predella.services.records import Told
from predella.settings import get_settings

_AT_ONCE = 50
"""Records on a page: some hundred kilobytes of LIDO."""
_MAX_FORM_BYTES = 20_000

Arguments = Mapping[str, str]
Reply = Callable[[Session, oai.Request, Arguments], bytes]


def _may_ask(request: Request) -> None:
    """Go on unless this address asks too often, or nobody has opened the repository."""
    settings = get_settings()
    if settings.oai_email is None:
        raise HTTPException(
            HTTPStatus.NOT_FOUND, "nothing can be harvested here: PREDELLA_OAI_EMAIL opens /oai"
        )
    address = signing_in.address_of(request)
    counted = limiting.count(f"harvest:{address}", settings.rate_limit)
    if counted is not None and not counted.allowed:
        raise HTTPException(
            HTTPStatus.SERVICE_UNAVAILABLE,
            f"no more than {settings.rate_limit}; come again in {counted.reset} seconds",
            headers={"Retry-After": str(counted.reset)},
        )


router = APIRouter(include_in_schema=False, dependencies=[Depends(_may_ask)])


async def _form(request: Request) -> list[tuple[str, str]]:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_FORM_BYTES:
            raise HTTPException(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"the arguments may have {_MAX_FORM_BYTES:,} bytes",
            )
    return parse_qsl(body.decode(errors="replace"), keep_blank_values=True)


@router.get("/oai")
def harvest(session: DbSession, request: Request) -> Response:
    """Answer a harvester."""
    return _answer(session, request.query_params.multi_items())


@router.post("/oai")
def harvest_by_form(
    session: DbSession, sent: Annotated[list[tuple[str, str]], Depends(_form)]
) -> Response:
    """Answer a harvester that sends a form, in just the same way."""
    return _answer(session, sent)


def _answer(session: Session, sent: Sequence[tuple[str, str]]) -> Response:
    asked = oai.Request(address=f"{get_settings().desk_url}/oai", answered_at=records.hold(session))
    try:
        verb, arguments = oai.read(sent)
        asked = replace(asked, arguments={"verb": verb.value, **arguments})
        reply = _REPLIES[verb](session, asked, arguments)
    except RefusedError as refused:
        if refused.code in {ErrorCode.BAD_VERB, ErrorCode.BAD_ARGUMENT}:
            asked = replace(asked, arguments={})
        reply = oai.error(asked, [(refused.code, str(refused))])
    return Response(reply, media_type=oai.MEDIA_TYPE)


def _identify(session: Session, asked: oai.Request, _arguments: Arguments) -> bytes:
    institutions = sorted({one.institution for one in records.sets(session)})
    return oai.identify(
        asked,
        name=", ".join(institutions) or _repository(),
        mail=get_settings().oai_email or "",
        since=records.earliest(session) or asked.answered_at,
        repository=_repository(),
    )


def _list_formats(session: Session, asked: oai.Request, arguments: Arguments) -> bytes:
    if "identifier" not in arguments:
        return oai.list_formats(asked)
    bundle = _found(session, arguments["identifier"]).bundle
    ways = oai.PAYLOADS.items()
    fit = [name for name, one in ways if bundle is None or not one.obstacle(bundle)]
    return oai.list_formats(asked, fit)


def _list_sets(session: Session, asked: oai.Request, arguments: Arguments) -> bytes:
    if "resumptionToken" in arguments:
        words = "the sets are on one page, so there is no token for them"
        raise RefusedError(ErrorCode.BAD_RESUMPTION_TOKEN, words)
    found = {one.slug: one.name for one in records.sets(session)}
    if not found:
        words = "no collection is open to harvesters yet"
        raise RefusedError(ErrorCode.NO_SET_HIERARCHY, words)
    return oai.list_sets(asked, found)


def _list_identifiers(session: Session, asked: oai.Request, arguments: Arguments) -> bytes:
    page, token, _ = _page(session, Verb.LIST_IDENTIFIERS, asked, arguments)
    return oai.list_identifiers(asked, (record.header for record in page), token)


def _list_records(session: Session, asked: oai.Request, arguments: Arguments) -> bytes:
    page, token, prefix = _page(session, Verb.LIST_RECORDS, asked, arguments)
    return oai.list_records(asked, page, token, prefix=prefix)


def _get_record(session: Session, asked: oai.Request, arguments: Arguments) -> bytes:
    prefix = oai.known_prefix(arguments["metadataPrefix"])
    told = _found(session, arguments["identifier"])
    if told.bundle and (obstacle := oai.PAYLOADS[prefix].obstacle(told.bundle)):
        raise RefusedError(ErrorCode.CANNOT_DISSEMINATE_FORMAT, obstacle)
    return oai.get_record(asked, _record(told, prefix), prefix=prefix)


_REPLIES: Mapping[Verb, Reply] = {
    Verb.IDENTIFY: _identify,
    Verb.LIST_METADATA_FORMATS: _list_formats,
    Verb.LIST_SETS: _list_sets,
    Verb.LIST_IDENTIFIERS: _list_identifiers,
    Verb.LIST_RECORDS: _list_records,
    Verb.GET_RECORD: _get_record,
}


def _page(
    session: Session, verb: Verb, asked: oai.Request, arguments: Arguments
) -> tuple[Sequence[Record], Token | None, str]:
    """Return one page, the token of the next, and the format."""
    if (written := arguments.get("resumptionToken")) is not None:
        wanted = oai.resumed(verb, written, now=asked.answered_at)
    else:
        wanted = oai.listing(arguments)
    found = records.listed(session, wanted, limit=_AT_ONCE + 1)
    if not found:
        raise RefusedError(ErrorCode.NO_RECORDS_MATCH, "nothing is like that")
    page, has_more = found[:_AT_ONCE], len(found) > _AT_ONCE
    if wanted.after is None and has_more:
        wanted = replace(wanted, size=records.count(session, wanted))
    token = _token(verb, wanted, page, has_more=has_more)
    return [_record(told, wanted.prefix) for told in page], token, wanted.prefix


def _token(verb: Verb, wanted: Listing, page: Sequence[Told], *, has_more: bool) -> Token | None:
    """Return where the list goes on; a list that had one page has none."""
    told = Token(complete_size=wanted.size, cursor=wanted.cursor)
    if not has_more:
        return told if wanted.after else None
    last, expires_at = page[-1].record, clock.now() + oai.KEPT
    rest = replace(wanted, after=(last.changed_at, last.id), cursor=wanted.cursor + len(page))
    return replace(told, value=oai.token(verb, rest, expires_at=expires_at), expires_at=expires_at)


def _record(told: Told, prefix: str) -> Record:
    """Return a record in a format; where it cannot be had in it, as one that is deleted.

    So what could be had in it before, and cannot any more, goes at the harvester, too.
    """
    bundle = told.bundle
    if bundle is not None and oai.PAYLOADS[prefix].obstacle(bundle):
        bundle = None
    head = Header(
        identifier=oai.identifier(told.object_id, _repository()),
        changed_at=told.record.changed_at,
        set=told.slug,
        deleted=bundle is None,
    )
    return Record(head, bundle)


def _found(session: Session, identifier: str) -> Told:
    ours = oai.identifier("", _repository())
    name = unquote(identifier.removeprefix(ours))
    # The database takes no NUL.
    known = identifier.startswith(ours) and "\0" not in name
    if not known or (told := records.find(session, name)) is None:
        raise RefusedError(ErrorCode.ID_DOES_NOT_EXIST, f"there is no record {identifier}")
    return told


def _repository() -> str:
    return urlsplit(get_settings().desk_url).hostname or ""
