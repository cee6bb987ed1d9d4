"""The replies of OAI-PMH: each is a whole document, its moments in UTC to the second."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from predella.formats import addresses
from predella.formats.bundle import Bundle
from predella.formats.entry import stamp
from predella.formats.oai.payloads import PAYLOADS, payload
from predella.formats.xml import Element, element, serialise

MEDIA_TYPE = "text/xml; charset=utf-8"
_DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\n'

_DOMAIN = re.compile(r"[A-Za-z][A-Za-z0-9-]*(\.[A-Za-z][A-Za-z0-9-]*)+")
"""As the schema of identifiers has it."""


class ErrorCode(StrEnum):
    """All that can be wrong with a request; the protocol knows no other."""

    BAD_ARGUMENT = "badArgument"
    BAD_RESUMPTION_TOKEN = "badResumptionToken"  # noqa: S105  (no secret)
    BAD_VERB = "badVerb"
    CANNOT_DISSEMINATE_FORMAT = "cannotDisseminateFormat"
    ID_DOES_NOT_EXIST = "idDoesNotExist"
    NO_RECORDS_MATCH = "noRecordsMatch"
    NO_METADATA_FORMATS = "noMetadataFormats"
    NO_SET_HIERARCHY = "noSetHierarchy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was asked, and when it is answered; repeated in every reply."""

    address: str
    """Of the repository."""
    answered_at: datetime
    arguments: Mapping[str, str] = field(default_factory=dict)
    """With the verb; none when they were wrong, as the protocol wants it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What identifies one record and tells when it last changed."""

    identifier: str
    changed_at: datetime
    set: str
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """One object: what identifies it, and its texts; a deleted one has none."""

    header: Header
    bundle: Bundle | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """Where the list goes on; the last page of a list that had several has an empty one."""

    value: str = ""
    complete_size: int | None = None
    cursor: int | None = None
    """How many came before this page."""
    expires_at: datetime | None = None


def identifier(object_id: str, repository: str) -> str:
    """Return how harvesters call an object; ``repository`` is a domain name.

    A later wording, or its withdrawal, comes under the same one.
    """
    return f"oai:{repository}:{addresses.escaped(object_id)}"


def identify(request: Request, *, name: str, mail: str, since: datetime, repository: str) -> bytes:
    """Return who we are: deletions are remembered for ever, moments go to the second."""
    return _reply(
        request,
        element(
            "oai:Identify",
            element("oai:repositoryName", name),
            element("oai:baseURL", request.address),
            element("oai:protocolVersion", "2.0"),
            element("oai:adminEmail", mail),
            element("oai:earliestDatestamp", stamp(since)),
            element("oai:deletedRecord", "persistent"),
            element("oai:granularity", "YYYY-MM-DDThh:mm:ssZ"),
            _naming(repository) if _DOMAIN.fullmatch(repository) else None,
        ),
    )


def _naming(repository: str) -> Element:
    """Return how records are named here; on a machine without a domain nobody says so."""
    sample = identifier("paintings/1", repository)
    described = element(
        "oai_id:oai-identifier",
        element("oai_id:scheme", "oai"),
        element("oai_id:repositoryIdentifier", repository),
        element("oai_id:delimiter", ":"),
        element("oai_id:sampleIdentifier", sample),
    )
    return element("oai:description", described)


def list_formats(request: Request, prefixes: Iterable[str] = PAYLOADS) -> bytes:
    """Return the metadata formats there are, or those of one record."""
    formats = (
        element(
            "oai:metadataFormat",
            element("oai:metadataPrefix", prefix),
            element("oai:schema", PAYLOADS[prefix].schema),
            element("oai:metadataNamespace", PAYLOADS[prefix].namespace),
        )
        for prefix in prefixes
    )
    return _reply(request, element("oai:ListMetadataFormats", *formats))


def list_sets(request: Request, sets: Mapping[str, str], token: Token | None = None) -> bytes:
    """Return the sets: the name of each by its spec. A set is a collection."""
    listed = (
        element("oai:set", element("oai:setSpec", spec), element("oai:setName", name))
        for spec, name in sets.items()
    )
    return _reply(request, element("oai:ListSets", *listed, _token(token)))


def list_identifiers(
    request: Request, headers: Iterable[Header], token: Token | None = None
) -> bytes:
    """Return one page of headers."""
    return _reply(request, element("oai:ListIdentifiers", *map(_header, headers), _token(token)))


def list_records(
    request: Request, records: Iterable[Record], token: Token | None = None, *, prefix: str
) -> bytes:
    """Return one page of records; of a deleted one there is a header."""
    written = (_record(record, prefix) for record in records)
    return _reply(request, element("oai:ListRecords", *written, _token(token)))


def get_record(request: Request, record: Record, *, prefix: str) -> bytes:
    """Return one record."""
    return _reply(request, element("oai:GetRecord", _record(record, prefix)))


def error(request: Request, problems: Sequence[tuple[ErrorCode, str]]) -> bytes:
    """Return what is wrong with the request, in words for the harvester's people."""
    return _reply(request, *(element("oai:error", words, code=code) for code, words in problems))


def _record(record: Record, prefix: str) -> Element:
    head, bundle = _header(record.header), record.bundle
    if bundle is None:
        return element("oai:record", head)
    return element(
        "oai:record",
        head,
        element("oai:metadata", payload(prefix, bundle)),
        *map(_licence, dict.fromkeys(entry.wording.rights for entry in bundle.entries)),
    )


def _licence(uri: str | None) -> Element | None:
    """Return the terms of a text itself: beside the metadata, as it has none of its own."""
    if not uri:
        return None
    return element("oai:about", element("oai_dc:dc", element("dc:rights", uri)))


def _header(head: Header) -> Element:
    return element(
        "oai:header",
        element("oai:identifier", head.identifier),
        element("oai:datestamp", stamp(head.changed_at)),
        element("oai:setSpec", head.set),
        status="deleted" if head.deleted else None,
    )


def _token(token: Token | None) -> Element | None:
    if token is None:
        return None
    size, cursor = token.complete_size, token.cursor
    return element(
        "oai:resumptionToken",
        token.value,
        expirationDate=stamp(token.expires_at) if token.expires_at else None,
        completeListSize=None if size is None else str(size),
        cursor=None if cursor is None else str(cursor),
    )


def _reply(request: Request, *content: Element) -> bytes:
    attributes: dict[str, Any] = dict(request.arguments)
    document = element(
        "oai:OAI-PMH",
        element("oai:responseDate", stamp(request.answered_at)),
        element("oai:request", request.address, **attributes),
        *content,
    )
    return _DECLARATION + serialise(document)
