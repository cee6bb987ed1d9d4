"""Object numbers with what is to become of their gates: a list, or columns of a manifest."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, BinaryIO

from predella.errors import ManifestError
from predella.formats.manifest import columns
from predella.formats.manifest.csv_manifest import delimiter_of, first_line
from predella.formats.manifest.lines import Lines
from predella.formats.manifest.opening import characters
from predella.formats.manifest.problems import CellError, ManifestHeaderError, shown
from predella.formats.manifest.rows import require_readable

_PARSERS = {column.name: column.parse for column in columns.COLUMNS}
_FIELDS = {
    "sensitivity": "sensitivity",
    "sensitivity_note": "sensitivity_note",
    "ai_processing": "ai_processing",
    "export": "exportable",
    "embargo_until": "embargo_until",
    "rights_work": "rights_work",
}
"""Our columns, and what a gate calls them."""


def read(stream: BinaryIO) -> dict[str, Mapping[str, Any]]:
    """Return by object number what a file says of each gate; empty cells say nothing.

    A file without a column for object numbers is a list of them, one on a line. Of a CSV with
    a header the manifest's columns for gates are read, and all others passed over, so that a
    manifest itself will do. It may be UTF-16, and compressed, as manifests may.

    Raises:
        ManifestError: the file is empty, or its characters or quotation marks are damaged; a
            value cannot be right; or two rows say different things of one object.
    """
    lines = Lines(characters(stream))
    first = first_line(lines)
    delimiter = delimiter_of(first)
    names = [columns.meaning(name) for name in next(csv.reader([first], delimiter=delimiter))]
    if "object_number" in names:
        lines.start_row()
        return _gathered(lines, _by_name(lines, names, delimiter))
    return _gathered(lines, ({"object_number": line} for line in chain([first], lines)))


def _gathered(
    lines: Lines, rows: Iterator[Mapping[str | None, str]]
) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        typed = _typed(lines.row, row)
        lines.start_row()
        if not (number := typed.pop("object_number", None)):
            continue
        said = {_FIELDS[name]: value for name, value in typed.items()}
        if found.setdefault(number, said) != said:
            raise ManifestError(
                f"Row {lines.row - 1} says something else of {shown(number)} than a row before it"
            )
    if not found:
        raise ManifestHeaderError("The file names no object.")
    return found


def _by_name(
    lines: Lines, names: Sequence[str | None], delimiter: str
) -> Iterator[Mapping[str | None, str]]:
    try:
        for row in csv.reader(lines, delimiter=delimiter, strict=True):
            if any(map(str.strip, row)) and len(row) != len(names):
                raise ManifestError(
                    f"Row {lines.row} has {len(row)} values where the header has {len(names)}"
                    " columns"
                )
            yield dict(zip(names, row, strict=False))
    except csv.Error as error:
        raise ManifestError(f"Row {lines.row} is not CSV: {error}") from error


def _typed(number: int, row: Mapping[str | None, str]) -> dict[str, Any]:
    typed = {}
    for name in ("object_number", *_FIELDS):
        if not (cell := row.get(name, "").strip()):
            continue
        try:
            require_readable(cell)
            typed[name] = _PARSERS[name](cell)
        except CellError as error:
            raise ManifestError(f'Row {number}: {name} "{shown(cell)}" {error}') from error
    return typed
