"""What a harvester asks: the arguments of a request, and the place where its list goes on.

A resumption token holds that place and nothing secret. Whoever makes one up gets what anybody
could have asked for, so that it is checked like the arguments, and not signed.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from predella.errors import InvalidError
from predella.formats.oai.payloads import PAYLOADS
from predella.formats.oai.replies import ErrorCode

KEPT = timedelta(hours=24)
"""How long a token is good for."""

_NAME = r"[A-Za-z0-9\-_.!~*'()]+"
_LEGAL = {
    "metadataPrefix": re.compile(_NAME),
    "set": re.compile(rf"{_NAME}(:{_NAME})*"),
    "identifier": re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?:[!$&-;=?-Z_a-z~]|%[0-9A-Fa-f]{2})+"),
    "resumptionToken": re.compile(r"[ -~]+"),
}
_DAY, _SECOND = "%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"
_DIGITS = r"\d{4}-\d\d-\d\d"
_SHAPES = {
    re.compile(_DIGITS, re.ASCII): _DAY,
    re.compile(rf"{_DIGITS}T\d\d:\d\d:\d\dZ", re.ASCII): _SECOND,
}


class RefusedError(InvalidError):
    """A harvester asked for what cannot be had; the protocol has a code for it."""

    def __init__(self, code: ErrorCode, words: str) -> None:
        super().__init__(words)
        self.code = code


class Verb(StrEnum):
    """The six requests of the protocol."""

    IDENTIFY = "Identify"
    LIST_METADATA_FORMATS = "ListMetadataFormats"
    LIST_SETS = "ListSets"
    LIST_IDENTIFIERS = "ListIdentifiers"
    LIST_RECORDS = "ListRecords"
    GET_RECORD = "GetRecord"


_LIST = (frozenset({"metadataPrefix"}), frozenset({"from", "until", "set"}), True)
_ARGUMENTS: Mapping[Verb, tuple[frozenset[str], frozenset[str], bool]] = {
    Verb.IDENTIFY: (frozenset(), frozenset(), False),
    Verb.LIST_METADATA_FORMATS: (frozenset(), frozenset({"identifier"}), False),
    Verb.LIST_SETS: (frozenset(), frozenset(), True),
    Verb.LIST_IDENTIFIERS: _LIST,
    Verb.LIST_RECORDS: _LIST,
    Verb.GET_RECORD: (frozenset({"identifier", "metadataPrefix"}), frozenset(), False),
}
"""What a verb needs, what it may have, and whether a token may stand for all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Which records are wanted, after those that were told already."""

    prefix: str
    set: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    after: tuple[datetime, int] | None = None
    """When the last one told had changed, and its number; None at the beginning."""
    cursor: int = 0
    """How many were told."""
    size: int | None = None
    """How many there were at the beginning."""


def read(pairs: Sequence[tuple[str, str]]) -> tuple[Verb, Mapping[str, str]]:
    """Return the verb of a request and its other arguments, which it may have.

    Raises:
        RefusedError: ``badVerb`` or ``badArgument``.
    """
    arguments = dict(pairs)
    counted = Counter(name for name, _ in pairs)
    verb = _verb(arguments.pop("verb", None), counted.pop("verb", 0))
    if repeated := sorted(name for name, count in counted.items() if count > 1):
        raise _bad(f"{repeated[0]!r} stands more than once")
    needed, possible, has_token = _ARGUMENTS[verb]
    if has_token and "resumptionToken" in arguments:
        needed, possible = frozenset({"resumptionToken"}), frozenset()
    if missing := sorted(needed - arguments.keys()):
        raise _bad(f"{verb} needs {missing[0]!r}")
    if unknown := sorted(arguments.keys() - needed - possible):
        raise _bad(f"{verb} does not take {unknown[0]!r} here")
    for name, value in arguments.items():
        if name in _LEGAL and not _LEGAL[name].fullmatch(value):
            raise _bad(f"{name!r} cannot have this value")
    return verb, arguments


def listing(arguments: Mapping[str, str]) -> Listing:
    """Return what the arguments of a list ask for.

    Raises:
        RefusedError: ``badArgument`` or ``cannotDisseminateFormat``.
    """
    since, until = arguments.get("from"), arguments.get("until")
    if since and until and len(since) != len(until):
        raise _bad("'from' and 'until' have to be alike: two days, or two seconds")
    first = _moment("from", since) if since is not None else None
    last = _moment("until", until) if until is not None else None
    if last and len(until or "") == len("2026-01-20"):
        last = last.replace(hour=23, minute=59, second=59)
    if first and last and first > last:
        raise _bad("'from' is later than 'until'")
    return Listing(
        prefix=known_prefix(arguments["metadataPrefix"]),
        set=arguments.get("set"),
        since=first,
        # All of its last second.
        until=last.replace(microsecond=999_999) if last else None,
    )


def known_prefix(prefix: str) -> str:
    """Return the prefix of a format that there is.

    Raises:
        RefusedError: ``cannotDisseminateFormat``.
    """
    if prefix not in PAYLOADS:
        known = ", ".join(PAYLOADS)
        words = f"there is no format {prefix!r}; there are {known}"
        raise RefusedError(ErrorCode.CANNOT_DISSEMINATE_FORMAT, words)
    return prefix


class _Place(BaseModel):
    """What a token holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    verb: Verb
    prefix: str
    set: Annotated[str, Field(pattern=rf"^{_NAME}$")] | None
    since: AwareDatetime | None
    until: AwareDatetime | None
    after: tuple[AwareDatetime, Annotated[int, Field(ge=1, le=2**63 - 1)]]
    cursor: int = Field(ge=1, le=2**31)
    size: int | None = Field(ge=0)
    expires_at: AwareDatetime


def token(verb: Verb, rest: Listing, *, expires_at: datetime) -> str:
    """Return the token that brings the rest of a list: see `resumed`."""
    place = _Place.model_validate(
        {name: getattr(rest, name) for name in Listing.__dataclass_fields__}
        | {"verb": verb, "expires_at": expires_at}
    )
    return urlsafe_b64encode(place.model_dump_json().encode()).decode().rstrip("=")


def resumed(verb: Verb, written: str, *, now: datetime) -> Listing:
    """Return where a list goes on that this token is of.

    Raises:
        RefusedError: ``badResumptionToken``: none of ours, of another verb, or too old.
    """
    try:
        place = _Place.model_validate_json(urlsafe_b64decode(f"{written}==="))
    except (ValueError, ValidationError) as error:
        raise _bad_token("it is none of ours") from error
    if place.verb is not verb or place.prefix not in PAYLOADS:
        raise _bad_token(f"it was not given to {verb}")
    if place.expires_at <= now:
        raise _bad_token("it is too old; begin the list anew")
    return Listing(**{name: getattr(place, name) for name in Listing.__dataclass_fields__})


def _verb(said: str | None, count: int) -> Verb:
    known = ", ".join(Verb)
    if said is None or count > 1:
        raise RefusedError(ErrorCode.BAD_VERB, f"say one verb: {known}")
    try:
        return Verb(said)
    except ValueError as error:
        raise RefusedError(ErrorCode.BAD_VERB, f"there is no such verb; say {known}") from error


def _moment(name: str, said: str) -> datetime:
    for shape, written in _SHAPES.items():
        if shape.fullmatch(said):
            try:
                return datetime.strptime(said, written).replace(tzinfo=UTC)
            except ValueError:
                break
    raise _bad(f"{name!r} has to be a day or a second in UTC: 2026-01-20 or 2026-01-20T10:00:00Z")


def _bad(words: str) -> RefusedError:
    return RefusedError(ErrorCode.BAD_ARGUMENT, words)


def _bad_token(words: str) -> RefusedError:
    return RefusedError(ErrorCode.BAD_RESUMPTION_TOKEN, f"this token cannot be used: {words}")
