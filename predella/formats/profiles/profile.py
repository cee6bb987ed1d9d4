"""A CSV profile: which columns a collection system reads, and what stands in them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from predella.formats import csv_file, fields
from predella.formats.bundle import Bundle, Unit
from predella.formats.entry import CatalogTombstone, Departing, TextKind, object_id, stamp

_BOM = b"\xef\xbb\xbf"
_STAND_IN = "/"
"""For what the importer would take for a separator."""
OF_LANGUAGE = " @"
"""Between the name of a column and its language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileColumn:
    """One column: a field, or a value that is always the same."""

    header: str
    field: str | None = None
    value: str | None = None
    withdrawn: str | None = None
    """What stands here instead of a text that is withdrawn."""
    date: str | None = None
    """How a moment is written, as in ``%Y-%m-%d``; otherwise as in 2026-01-20T10:00:00Z."""
    language: str | None = None
    """Only a text in this language stands here."""
    kind: TextKind | None = None
    """Only a text of this kind stands here."""
    single: bool = False
    """The importer does not split this column, so that its separators may stand in it."""
    each_language: bool = False
    """Where a file has texts in several languages, each has a column like this."""

    def within(self, languages: Sequence[str]) -> "list[ProfileColumn]":
        """Return the column as it is in a file that has texts in these languages."""
        several = languages[1:]
        if not (self.each_language and several):
            return [self]
        return [
            replace(self, header=f"{self.header}{OF_LANGUAGE}{tag}", language=tag)
            for tag in languages
        ]


@dataclass(slots=True, kw_only=True)
class Profile:
    """A `CatalogFormat`: rows of CSV in UTF-8, a header above them."""

    name: str
    columns: Sequence[ProfileColumn]
    formulas: str = "keep"
    """``neutralise`` where people open the file in a spreadsheet."""
    bom: bool = False
    separators: Sequence[str] = ()
    """At what the importer splits a cell; in a text, a slash takes its place."""
    UNIT: Unit = Unit.TEXT
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

    @property
    def asks_for_languages(self) -> bool:
        """Whether the header hangs on the languages of what stands below it."""
        return any(column.each_language for column in self.columns)

    def within(self, languages: Sequence[str]) -> "Profile":
        """Return the profile for a file that has texts in these languages."""
        columns = [made for column in self.columns for made in column.within(languages)]
        return replace(self, columns=columns)

    def between(self, column: ProfileColumn) -> str:
        """Return what stands between the values of several texts in one cell."""
        if self.separators and not column.single:
            return self.separators[0]
        return "\n\n" if column.field in fields.PROSE else "; "

    def encode(self, bundle: Bundle) -> bytes:
        """Return the row; where a text was withdrawn, a sentence takes its place."""
        return self._row([self._cell(bundle, column) for column in self.columns])

    def _row(self, cells: Sequence[str]) -> bytes:
        return csv_file.row(cells, for_spreadsheet=self.formulas == "neutralise")

    def _cell(self, bundle: Bundle, column: ProfileColumn) -> str:
        here = _belonging(bundle.entries, column) or _belonging(bundle.tombstones, column)
        if not here:
            return ""
        if column.field in fields.OF_OBJECT:
            here = [bundle.about]
        values = [self._value(line, column) for line in here]
        if not self.separators or column.single:
            values = list(filter(None, dict.fromkeys(values)))
        # Else the importer splits them: the first of each column is of the first text.
        return self.between(column).join(values)

    def _value(self, line: Departing, column: ProfileColumn) -> str:
        if column.withdrawn is not None and isinstance(line, CatalogTombstone):
            return column.withdrawn
        if column.field is None:
            return column.value or ""
        if column.field == "record_id" and self.UNIT is Unit.OBJECT:
            return object_id(line)
        text = _written(fields.value(line, column.field), column.date)
        for separator in () if column.single else self.separators:
            text = text.replace(separator, _STAND_IN)
        return text


def _belonging(lines: Sequence[Departing], column: ProfileColumn) -> list[Departing]:
    """Return the texts of a record that stand in the column, each once."""
    return list(
        {
            line.revision_id: line
            for line in lines
            if column.language in {None, line.language} and column.kind in {None, line.kind}
        }.values()
    )


def _written(value: fields.Value, date: str | None) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime(date) if date else stamp(value)
    return "" if value is None else str(value)
