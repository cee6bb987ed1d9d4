"""One row: typed when it can be used, explained when it cannot."""

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from predella.formats.manifest.columns import COLUMNS, FROM_THE_BUCKET
from predella.formats.manifest.numbering import NONE, Numbering
from predella.formats.manifest.problems import CellError, RowProblem, row_problem, shown
from predella.formats.manifest.values import MAX_TEXT, prose

_KNOWN = {column.name: column for column in COLUMNS}
_REQUIRED = tuple(column.name for column in COLUMNS if column.required)
_REQUIRED_OF_A_FILE = tuple(name for name in _REQUIRED if name != "object_number")
_DAMAGED = re.compile("[\ud800-\udfff\ufffd]")


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestRow:
    """One image of one object, as the digitization team describes it.

    What the team left empty is None.
    """

    number: int
    """As the team's spreadsheet shows it: the header is 1. In JSON Lines, the line."""
    object_number: str | None
    """None where only the picture itself may tell it."""
    filename: str
    """Object key below the collection's prefix, byte for byte as written."""
    view: str | None = None
    sequence: int | None = None
    primary: bool | None = None
    sha256: bytes | None = None
    md5: bytes | None = None
    etag: str | None = None
    title: str | None = None
    artist: str | None = None
    artist_uri: str | None = None
    date: str | None = None
    medium: str | None = None
    dimensions: str | None = None
    object_uri: str | None = None
    language: str | None = None
    rights_work: str | None = None
    """Canonical ``http`` URI, as is ``rights_image``."""
    rights_image: str | None = None
    iiif_image: str | None = None
    """Address of an IIIF image service, without a slash at its end."""
    credit_line: str | None = None
    sensitivity: Literal["none", "review", "restricted"] = "none"
    sensitivity_note: str | None = None
    labels: str | None = None
    """URIs, parted by spaces."""
    ai_processing: bool
    export: bool
    embargo_until: dt.date | None = None
    notes: str | None = None
    extra: dict[str, str] = field(default_factory=dict)
    """Columns that we do not know, in order, without empty cells."""
    numbered_by: Literal["row", "name"] | None = "row"
    """What tells the object number so far; that of the picture would count before its name."""


def build(
    number: int, cells: dict[str, str], numbering: Numbering = NONE
) -> ManifestRow | RowProblem:
    """Return the row that these cells (by resolved column name) describe, or all its faults.

    What a row leaves empty its file's name may tell, where there is a pattern for it. A number
    that only the picture may tell is left open.
    """
    numbered_by: Literal["row", "name"] | None = "row"
    if numbering and not cells.get("object_number", "").strip():
        told = numbering.of(cells.get("filename", "").strip())
        if not (told or numbering.field):
            sentence = (
                f'object_number is empty, and the file\'s name "{shown(cells.get("filename", ""))}"'
                " does not fit the pattern; write the number in the manifest, or mend the pattern."
            )
            return row_problem(number, cells, "no_object_number", sentence)
        cells = {**cells, **{name: told[name] for name in told if not cells.get(name, "").strip()}}
        numbered_by = "name" if told else None
    typed, extra, faults = _read(cells, required=_REQUIRED if numbered_by else _REQUIRED_OF_A_FILE)
    if faults:
        sentence = " ".join(fault for _, fault in faults)
        return row_problem(number, cells, faults[0][0], sentence)
    unrestricted = typed.get("sensitivity") != "restricted"
    typed.setdefault("ai_processing", unrestricted)
    typed.setdefault("export", unrestricted)
    typed.setdefault("object_number", None)
    return ManifestRow(number=number, extra=extra, numbered_by=numbered_by, **typed)


def _read(
    cells: dict[str, str], *, required: Sequence[str]
) -> tuple[dict[str, Any], dict[str, str], list[tuple[str, str]]]:
    typed: dict[str, Any] = {}
    extra: dict[str, str] = {}
    faults = [
        ("missing_value", _what_is_missing(name, cells))
        for name in required
        if not cells.get(name, "").strip()
    ]
    for name, padded in cells.items():
        if not (cell := padded.strip()):
            continue
        try:
            require_readable(cell)
            if column := _KNOWN.get(name):
                typed[name] = column.parse(cell)
            else:
                extra[name] = prose(cell)
        except CellError as error:
            faults.append((error.code, f'{name} "{shown(cell)}" {error}.'))
    return typed, extra, faults


def _what_is_missing(name: str, cells: dict[str, str]) -> str:
    if name == "filename" and cells.get("iiif_image", "").strip():
        return f"filename is empty: {FROM_THE_BUCKET}."
    return f"{name} is empty."


def require_readable(cell: str) -> None:
    """Go on only with characters that can be kept.

    Raises:
        CellError: it is too long, or damaged.
    """
    if len(cell) > MAX_TEXT:
        raise CellError("too_long", f"is longer than {MAX_TEXT} characters")
    if "\0" in cell:
        raise CellError("control_character", "contains a NUL byte")
    if _DAMAGED.search(cell):
        raise CellError(
            "bad_encoding", 'has damaged characters; save the file as "CSV UTF-8" and try again'
        )
