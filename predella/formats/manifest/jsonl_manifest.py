"""Manifests as programs write them: one JSON object a line, keys as the CSV's columns."""

import json
from collections.abc import Iterator
from itertools import chain

from predella.formats.manifest import columns, rows
from predella.formats.manifest.lines import Lines
from predella.formats.manifest.numbering import NONE, Numbering
from predella.formats.manifest.problems import ManifestHeaderError, RowProblem, row_problem, shown
from predella.formats.manifest.rows import ManifestRow


class _NotARowError(ValueError):
    """The line is JSON at most; the message says what it should have been."""


def read(lines: Lines, numbering: Numbering = NONE) -> Iterator[ManifestRow | RowProblem]:
    """Check the keys of the first line, then return the rows one by one.

    Raises:
        ManifestHeaderError: there is no line, or the first is not an object with usable keys.
    """
    found = _numbered(lines)
    if (head := next(found, None)) is None:
        raise ManifestHeaderError("The manifest is empty.")
    try:
        columns.resolve(tuple(_cells(head[1])))
    except _NotARowError as error:
        raise ManifestHeaderError(f"Line {head[0]} of the manifest {error}") from error
    return (_row(number, line, numbering) for number, line in chain([head], found))


def _numbered(lines: Lines) -> Iterator[tuple[int, str]]:
    while True:
        lines.start_row()
        if (line := next(lines, None)) is None:
            return
        if line.strip():
            yield lines.row, line


def _row(number: int, line: str, numbering: Numbering) -> ManifestRow | RowProblem:
    try:
        cells = _cells(line)
    except _NotARowError as error:
        return row_problem(number, {"line": line}, "bad_json", f"The line {error}")
    try:
        names = columns.resolve(tuple(cells))
    except ManifestHeaderError as error:
        sentence = str(error).replace("The manifest", "The line")
        return row_problem(number, cells, "bad_columns", sentence)
    return rows.build(number, dict(zip(names, cells.values(), strict=True)), numbering)


def _cells(line: str) -> dict[str, str]:
    """Return the object's values as a spreadsheet would show them.

    Numbers keep their digits as written: 1925.10 is an object number, too.
    """
    try:
        value = json.loads(
            line.rstrip(),
            object_pairs_hook=_distinct,
            parse_int=str,
            parse_float=str,
            parse_constant=_no_constant,
        )
    except json.JSONDecodeError as error:
        raise _NotARowError(f"is not JSON: {error.msg} at character {error.colno}.") from error
    except RecursionError as error:
        raise _NotARowError("is nested too deeply.") from error
    if not isinstance(value, dict):
        raise _NotARowError('is not one JSON object, such as {"object_number": "1925.12.3", ...}.')
    return {name: _cell(entry) for name, entry in value.items()}


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case str():
            return value
        case list() if all(isinstance(part, str) for part in value):
            return "; ".join(value)
        case _:
            return json.dumps(value, ensure_ascii=False)


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twin = next(name for name in names if names.count(name) > 1)
        raise _NotARowError(f'has the key "{shown(twin)}" twice.')
    return found


def _no_constant(name: str) -> object:
    raise _NotARowError(f"has the value {name}, which is not JSON.")
