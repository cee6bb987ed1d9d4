"""What is wrong in a file, and where; and the few values that every format shares."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from predella.formats import rights


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that a catalog would stumble over."""

    place: str
    """Line, record or member of the file."""
    sentence: str

    def __str__(self) -> str:
        """Return both, as for a terminal."""
        return f"{self.place}: {self.sentence}"


class Names:
    """The names of records so far; each may stand once."""

    def __init__(self) -> None:
        self._places: dict[str, str] = {}

    def take(self, place: str, name: str | None) -> Iterator[Problem]:
        """Yield what is wrong with the name of the record at this place."""
        if not name:
            yield Problem(place, "the record has no identifier")
        elif name in self._places:
            yield Problem(place, f"{name!r} stands already at {self._places[name]}")
        else:
            self._places[name] = place


def moment(place: str, value: object, *, what: str) -> Iterator[Problem]:
    """Yield what is wrong with a moment, as in 2026-01-20T10:00:00Z; a day alone will do."""
    try:
        datetime.fromisoformat(str(value))
    except ValueError:
        yield Problem(place, f"{what} is no date: {value!r}")


def statement(place: str, value: object) -> Iterator[Problem]:
    """Yield what is wrong with a rights statement; one that is not known may be missing."""
    if value and rights.canonical(str(value)) != value:
        yield Problem(
            place,
            f"{value!r} is no rights statement of rightsstatements.org or Creative Commons"
            " in the http form",
        )
