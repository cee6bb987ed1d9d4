"""Manifests as digitization teams write them: CSV with a header, from any spreadsheet."""

import csv
from collections.abc import Iterator
from itertools import chain

from predella.formats.manifest import columns, rows
from predella.formats.manifest.lines import Lines
from predella.formats.manifest.numbering import NONE, Numbering
from predella.formats.manifest.problems import (
    ManifestBrokenError,
    ManifestHeaderError,
    RowProblem,
    row_problem,
)
from predella.formats.manifest.rows import ManifestRow

_DELIMITERS = {",": "a comma", ";": "a semicolon", "\t": "a tab"}


def read(lines: Lines, numbering: Numbering = NONE) -> Iterator[ManifestRow | RowProblem]:
    """Check the header, then return the rows one by one.

    Rows are counted as a spreadsheet counts them: a row with line breaks in a cell is one
    row, and an empty row is passed over but counted.

    Raises:
        ManifestHeaderError: the header cannot be used, or no row follows it.
    """
    first = first_line(lines)
    delimiter = delimiter_of(first)
    reader = csv.reader(chain([first], lines), delimiter=delimiter, strict=True)
    try:
        names = columns.resolve(_without_empty_tail(next(reader)))
    except csv.Error as error:
        raise ManifestHeaderError(f"The manifest's header is not CSV: {error}.") from error
    found = _rows(reader, lines, names, delimiter, numbering)
    if (head := next(found, None)) is None:
        raise ManifestHeaderError("The manifest has a header but no rows.")
    return chain([head], found)


def first_line(lines: Lines) -> str:
    """Return the first line that is not empty.

    Raises:
        ManifestHeaderError: there is none.
    """
    while True:
        lines.start_row()
        if (line := next(lines, None)) is None:
            raise ManifestHeaderError("The manifest is empty.")
        if line.strip():
            return line


def delimiter_of(header: str) -> str:
    """Return the delimiter that makes most sense of the header."""

    def sense(delimiter: str) -> tuple[int, int]:
        names = next(csv.reader([header], delimiter=delimiter))
        return sum(map(columns.is_known, names)), len(names)

    return max(_DELIMITERS, key=sense)


def _without_empty_tail(cells: list[str]) -> tuple[str, ...]:
    while cells and not cells[-1].strip():
        cells = cells[:-1]
    return tuple(cells)


def _rows(
    reader: Iterator[list[str]],
    lines: Lines,
    names: tuple[str, ...],
    delimiter: str,
    numbering: Numbering,
) -> Iterator[ManifestRow | RowProblem]:
    while True:
        lines.start_row()
        try:
            cells = next(reader, None)
        except csv.Error as error:
            yield _unreadable(lines, error)
            continue
        if cells is None:
            return
        if any(map(str.strip, cells)):
            yield _row(lines.row, names, cells, delimiter, numbering)


def _unreadable(lines: Lines, error: csv.Error) -> RowProblem:
    if lines.taken > 1:
        raise ManifestBrokenError(
            lines.row, "a quotation mark is opened and not closed where a value ends."
        ) from error
    if "field limit" in str(error):
        return row_problem(lines.row, {}, "too_long", "A value of the row is far too long.")
    return row_problem(
        lines.row,
        {},
        "bad_quotes",
        "A value of the row has a quotation mark inside; write it twice, and the whole value"
        ' in quotation marks: """Untitled"" (blue)".',
    )


def _row(
    number: int,
    names: tuple[str, ...],
    cells: list[str],
    delimiter: str,
    numbering: Numbering,
) -> ManifestRow | RowProblem:
    by_name = dict(zip(names, cells, strict=False))
    surplus = any(map(str.strip, cells[len(names) :]))
    if len(cells) < len(names) or surplus:
        sentence = (
            f"The row has {len(cells)} values where the header has {len(names)} columns;"
            f" a value that contains {_DELIMITERS[delimiter]} must stand in quotation marks."
        )
        return row_problem(number, by_name, "ragged_row", sentence)
    return rows.build(number, by_name, numbering)
