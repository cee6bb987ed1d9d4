"""Lists on a page: some rows, and where the next ones begin."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar
from uuid import UUID

from fastapi import Query

Row = TypeVar("Row")

SIZE = 50
"""Rows of a page."""
LIMIT = SIZE + 1
"""Rows to ask for: whether one more comes tells whether there is a next page."""

Before = Annotated[UUID | None, Query()]
After = Annotated[UUID | None, Query()]
AfterNumber = Annotated[int, Query(ge=0, le=2**31 - 1)]


@dataclass(frozen=True)
class Listed(Generic[Row]):
    """The rows of one page."""

    rows: Sequence[Row]
    next: str | None
    """What the next page begins behind; None on the last one."""


def listed(found: Sequence[Row], key: Callable[[Row], object]) -> Listed[Row]:
    """Return a page out of as many as `LIMIT` rows."""
    rows = found[:SIZE]
    return Listed(rows, str(key(rows[-1])) if len(found) > SIZE else None)
