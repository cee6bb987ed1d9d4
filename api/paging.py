"""Lists, page by page: where a page ends, the next one begins, however the list has grown."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from fastapi.exceptions import RequestValidationError

Key = TypeVar("Key", UUID, int, str)
Row = TypeVar("Row")

_LARGEST = 200
_LARGEST_NUMBER = 2**31 - 1


@dataclass(frozen=True)
class Rows(Generic[Row]):
    """One page, before it is written out as a ``schemas.base.Page``."""

    data: Sequence[Row]
    next: str | None


class Paging(Generic[Key]):
    """Which page of a list was asked for, and how to answer with it."""

    def __init__(self, request: Request, response: Response, after: Key | None, size: int) -> None:
        self._request, self._response = request, response
        self.after: Key | None = after
        self.size = size
        self.limit = size + 1
        """One row more than the page has: whether it comes tells whether more do."""

    def page(self, rows: Sequence[Row], key: Callable[[Row], Key]) -> Rows[Row]:
        """Return the page, and say in the header ``Link`` where the next one is."""
        shown = rows[: self.size]
        return self.ending(shown, key(shown[-1]) if len(rows) > len(shown) else None)

    def ending(self, shown: Sequence[Row], last: Key | None) -> Rows[Row]:
        """Return these rows as the page; there are more if the last of them is named."""
        if last is None:
            return Rows(shown, next=None)
        cursor = _encoded(last)
        following = self._request.url.include_query_params(cursor=cursor)
        self._response.headers["Link"] = f'<{following.path}?{following.query}>; rel="next"'
        return Rows(shown, next=cursor)


Size = Annotated[int, Query(alias="limit", ge=1, le=_LARGEST, description="Rows in a page.")]
Cursor = Annotated[
    str | None, Query(max_length=1_000, description="`next` of the page before; opaque.")
]


def _by_id(
    request: Request, response: Response, size: Size = 50, cursor: Cursor = None
) -> Paging[UUID]:
    return Paging(request, response, _decoded(cursor, UUID), size)


def _by_number(
    request: Request, response: Response, size: Size = 50, cursor: Cursor = None
) -> Paging[int]:
    return Paging(request, response, _decoded(cursor, _number), size)


def _by_place(
    request: Request, response: Response, size: Size = 50, cursor: Cursor = None
) -> Paging[str]:
    return Paging(request, response, _decoded(cursor, str), size)


ById = Annotated[Paging[UUID], Depends(_by_id)]
ByNumber = Annotated[Paging[int], Depends(_by_number)]
ByPlace = Annotated[Paging[str], Depends(_by_place)]
"""For lists whose order is chosen: only the service knows what a place is."""


def _encoded(key: UUID | int | str) -> str:
    return urlsafe_b64encode(str(key).encode()).decode().rstrip("=")


def _number(text: str) -> int:
    number = int(text)
    if not 0 <= number <= _LARGEST_NUMBER:
        raise ValueError(text)
    return number


def _decoded(cursor: str | None, read: Callable[[str], Key]) -> Key | None:
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        return read(urlsafe_b64decode(padded.encode()).decode())
    except (Base64Error, ValueError) as error:
        wrong = {"loc": ("query", "cursor"), "msg": "not a cursor of ours", "type": "value_error"}
        raise RequestValidationError([wrong]) from error
