"""``If-Match``: nobody decides on something else than what they saw (RFC 9110, 13.1.1)."""

import json
from collections.abc import Collection
from hashlib import sha256
from typing import Annotated, TypeVar

from fastapi import Depends, Form, Header, Response
from pydantic import BaseModel

from predella.errors import ConflictError, InvalidError

Shown = TypeVar("Shown", bound=BaseModel)


class PreconditionMissingError(InvalidError):
    """The request does not say which state it was made for."""

    def __init__(self) -> None:
        super().__init__(
            "send the ETag of what you saw as If-Match, so that a change made "
            "by somebody else in the meantime is not decided on unseen"
        )


class PreconditionFailedError(ConflictError):
    """It changed since you saw it."""

    def __init__(self, *, etag: str, current: BaseModel) -> None:
        super().__init__("it changed since you saw it; look at it as it is now, and decide again")
        self.etag, self.current = etag, current


def _seen(
    if_match: Annotated[
        str | None, Header(max_length=1000, description="Required: the ETag of what you saw.")
    ] = None,
) -> frozenset[str]:
    """Return the ETags that the caller names; ``*`` names none, for it says nothing of having seen.

    Raises:
        PreconditionMissingError: there is none.
    """
    tags = frozenset(tag.strip() for tag in (if_match or "").split(",")) - {"", "*"}
    if not tags:
        raise PreconditionMissingError
    return tags


Seen = Annotated[frozenset[str], Depends(_seen)]
SeenOnPage = Annotated[str, Form(alias="seen", max_length=100)]
"""The same for a form of the desk: the ETag of what it was drawn from."""


def etag_of(shown: BaseModel) -> str:
    """Return a name of exactly this state, for what has no number of its own."""
    plain = json.dumps(shown.model_dump(), sort_keys=True, default=_plain)
    return f'"{sha256(plain.encode()).hexdigest()[:32]}"'


def require_seen(seen: frozenset[str], current: BaseModel) -> None:
    """Go on if this is the state that the caller saw.

    Raises:
        PreconditionFailedError: it is not.
    """
    require_etag(seen, etag_of(current), current)


def require_etag(seen: Collection[str], etag: str, current: BaseModel) -> None:
    """Go on if the caller saw what has this ETag.

    Raises:
        PreconditionFailedError: they did not.
    """
    if etag not in seen:
        raise PreconditionFailedError(etag=etag, current=current)


def marked(response: Response, shown: Shown) -> Shown:
    """Return what is shown, and name this state in the header ``ETag``."""
    response.headers["ETag"] = etag_of(shown)
    return shown


def _plain(value: object) -> object:
    return sorted(value) if isinstance(value, frozenset) else str(value)
