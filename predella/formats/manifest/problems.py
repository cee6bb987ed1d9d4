"""What can be wrong with a manifest, one of its rows, one of its cells."""

from dataclasses import dataclass

from predella.errors import ManifestError
from predella.formats.text import normalise

_SHOWN = 200
"""Characters of a value that a report repeats."""


class ManifestHeaderError(ManifestError):
    """The file or its header cannot be used; no row was read."""


class ManifestBrokenError(ManifestError):
    """The rows can no longer be told apart; everything from this row on is unread."""

    def __init__(self, row: int, reason: str) -> None:
        super().__init__(f"The manifest cannot be read from row {row} on: {reason}")
        self.row = row


class CellError(Exception):
    """One cell cannot be what its column needs; the reason continues ``column "value" ...``."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True, slots=True)
class RowProblem:
    """A row that cannot be accepted, with everything that is wrong with it."""

    number: int
    """As the team's spreadsheet shows it: the header is 1. In JSON Lines, the line."""
    object_number: str | None
    filename: str | None
    code: str
    """For programs; of the first thing that is wrong."""
    sentence: str
    """All that is wrong, in words for a digitization team."""
    raw: dict[str, str]
    """What the row held, long values cut, safe to store."""


def row_problem(number: int, cells: dict[str, str], code: str, sentence: str) -> RowProblem:
    """Return a problem that repeats what can be shown of the row."""
    raw = {name: shown(value) for name, value in cells.items() if value}
    return RowProblem(number, raw.get("object_number"), raw.get("filename"), code, sentence, raw)


def shown(value: str) -> str:
    """Return the value as a report may repeat it: short and storable anywhere."""
    cut = value if len(value) <= _SHOWN else value[:_SHOWN] + "…"
    return normalise(cut).strip()
