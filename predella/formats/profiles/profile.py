"""A CSV profile: which columns a collection system reads, and what stands in them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from predella.formats import csv_file, fields
from predella.formats.entry import CatalogEntry, CatalogTombstone, Departing, TextKind, stamp

_BOM = b"\xef\xbb\xbf"
_STAND_IN = "/"
"""For what the importer would take for a separator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileColumn:
    """One column: a field, or a value that is always the same."""

    header: str
    field: str | None = None
    value: str | None = None
    withdrawn: str | None = None
    """What stands here instead when the record is withdrawn."""
    date: str | None = None
    """How a moment is written, as in ``%Y-%m-%d``; otherwise as in 2026-01-20T10:00:00Z."""
    language: str | None = None
    """Only a text in this language stands here."""
    kind: TextKind | None = None
    """Only a text of this kind stands here."""
    single: bool = False
    """The importer does not split this column, so that its separators may stand in it."""


@dataclass(slots=True, kw_only=True)
class Profile:
    """A `CatalogFormat`: rows of CSV in UTF-8, one for each entry, a header above them."""

    name: str
    columns: Sequence[ProfileColumn]
    formulas: str = "keep"
    """``neutralise`` where people open the file in a spreadsheet."""
    bom: bool = False
    separators: Sequence[str] = ()
    """At what the importer splits a cell; in a text, a slash takes its place."""
    KINDS: frozenset[TextKind] = frozenset(TextKind)
    ADDRESSED: bool = False
    WITHDRAWS: bool = True
    MEDIA_TYPE: str = "text/csv; charset=utf-8; header=present"
    SUFFIX: str = ".csv"
    SEPARATOR: bytes = b""
    END: bytes = b""
    BEGIN: bytes = field(init=False)

    def __post_init__(self) -> None:
        header = self._row([column.header for column in self.columns])
        self.BEGIN = (_BOM if self.bom else b"") + header

    def encode(self, entry: CatalogEntry) -> bytes:
        """Return the entry's row."""
        return self._row([self._cell(entry, column) for column in self.columns])

    def bury(self, tombstone: CatalogTombstone) -> bytes:
        """Return the row in which a sentence takes the text's place."""
        return self._row([self._cell(tombstone, column) for column in self.columns])

    def _row(self, cells: Sequence[str]) -> bytes:
        return csv_file.row(cells, for_spreadsheet=self.formulas == "neutralise")

    def _cell(self, line: Departing, column: ProfileColumn) -> str:
        if not _belongs(line, column):
            return ""
        if column.withdrawn is not None and isinstance(line, CatalogTombstone):
            return column.withdrawn
        if column.field is None:
            return column.value or ""
        text = _written(fields.value(line, column.field), column.date)
        for separator in () if column.single else self.separators:
            text = text.replace(separator, _STAND_IN)
        return text


def _belongs(line: Departing, column: ProfileColumn) -> bool:
    if column.language is None and column.kind is None:
        return True
    about = line.wording if isinstance(line, CatalogEntry) else line
    return column.language in {None, about.language} and column.kind in {None, about.kind}


def _written(value: fields.Value, date: str | None) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime(date) if date else stamp(value)
    return "" if value is None else str(value)
