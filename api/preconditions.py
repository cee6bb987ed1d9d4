"""``If-Match``: nobody decides on something else than what they saw (RFC 9110, 13.1.1)."""

from typing import Annotated

from fastapi import Depends, Header

from api.schemas.base import Out
from predella.errors import ConflictError, InvalidError


class PreconditionMissingError(InvalidError):
    """The request does not say which state it was made for."""

    def __init__(self) -> None:
        super().__init__(
            "send the ETag of what you saw as If-Match, so that a change made "
            "by somebody else in the meantime is not decided on unseen"
        )


class PreconditionFailedError(ConflictError):
    """It changed since you saw it."""

    def __init__(self, *, etag: str, current: Out) -> None:
        super().__init__("it changed since you saw it; look at `current` and decide again")
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
