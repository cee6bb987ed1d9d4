"""Files of CSV: the header of a profile, and in each row what a reader has to know."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO

from predella.formats import csv_file, profiles
from predella.formats.bundle import Unit
from predella.formats.checking.official import Schemas
from predella.formats.checking.problem import Names, Problem, moment, statement
from predella.formats.profiles import Profile, ProfileColumn
from predella.formats.profiles.profile import OF_LANGUAGE

_NAMES = ("record_id", "object_number", "image_key")
"""The first of these that a profile has tells one record from another; of images the last."""
_NEEDED = ("text", "disclosure")
_MOMENTS = ("decided_at", "generated_at", "withdrawn_at")
_RIGHTS = ("rights_work", "rights_image", "text_rights")
_TEMPLATES = {
    "collectionspace-core": "collectionobject",
    "collectionspace-fcart": "collectionobject",
    "collectionspace-media": "media",
}
"""Profiles that an official template judges, and its record type."""
_MAX_CELL = 10_000_000


def check(
    file: BinaryIO, profile: Profile | None = None, schemas: Schemas | None = None
) -> Iterator[Problem]:
    """Yield what is wrong; without a profile, the header says which of ours it is."""
    csv.field_size_limit(_MAX_CELL)
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    rows = csv.reader(text, strict=True)
    try:
        header = next(rows, [])
        yield from _rows(rows, header, profile or _named(header), schemas)
    except (csv.Error, UnicodeDecodeError) as error:
        yield Problem(f"line {rows.line_num + 1}", f"it cannot be read as CSV in UTF-8: {error}")
    finally:
        text.detach()


def _rows(
    rows: Iterator[list[str]],
    header: list[str],
    profile: Profile | None,
    schemas: Schemas | None,
) -> Iterator[Problem]:
    here = profile and _within(profile, header)
    if here is None:
        name = f"the profile {profile.name!r}" if profile else "any profile of ours"
        yield Problem("line 1", f"this is not the header of {name}")
        return
    profile = here
    record_type = _TEMPLATES.get(profile.name)
    if schemas and record_type:
        yield from (Problem("line 1", said) for said in schemas.header(header, record_type))
    names = Names()
    for number, row in enumerate(rows, start=1):
        place = f"record {number}"
        if len(row) != len(header):
            yield Problem(place, f"it has {len(row)} cells, the header has {len(header)}")
        else:
            yield from _row(place, row, profile, names)


def _row(place: str, row: Sequence[str], profile: Profile, names: Names) -> Iterator[Problem]:
    cells = {
        column.field: (column, cell)
        for column, cell in zip(profile.columns, row, strict=True)
        if column.field
    }
    held = {field: cell for field, (_, cell) in cells.items()}
    order = reversed(_NAMES) if profile.UNIT is Unit.IMAGE else _NAMES
    yield from names.take(place, next((held[name] for name in order if name in held), None))
    for field in _NEEDED:
        if field in held and not held[field].strip() and not _elsewhere(profile, row, field):
            yield Problem(place, f"{cells[field][0].header!r} is empty")
    yield from _undisclosed(place, profile, row)
    for column, value in _values(profile, cells.values()):
        if column.field in _MOMENTS and not column.date:
            yield from moment(place, value, what=column.header)
        if column.field in _RIGHTS:
            yield from statement(place, value)
    if profile.formulas == "neutralise":
        for column, cell in zip(profile.columns, row, strict=True):
            if csv_file.is_formula(cell):
                yield Problem(place, f"a spreadsheet would run what stands in {column.header!r}")


def _undisclosed(place: str, profile: Profile, row: Sequence[str]) -> Iterator[Problem]:
    """Yield where a language has its text, and nothing in its column for the disclosure."""
    cells = {
        (column.field, column.language): (column.header, cell.strip())
        for column, cell in zip(profile.columns, row, strict=True)
        if column.language
    }
    for (field, language), (header, cell) in cells.items():
        _, said = cells.get(("disclosure", language), ("", "elsewhere"))
        if field == "text" and cell and not said:
            yield Problem(place, f"nothing tells who wrote the text in {header!r}")


def _values(
    profile: Profile, cells: Iterable[tuple[ProfileColumn, str]]
) -> Iterator[tuple[ProfileColumn, str]]:
    """Yield each value by itself: a row of several texts has several in a cell."""
    for column, cell in cells:
        parts = [cell] if profile.UNIT is Unit.TEXT else cell.split(profile.between(column))
        yield from ((column, value) for value in parts if value)


def _elsewhere(profile: Profile, row: Sequence[str], field: str) -> bool:
    """Say whether another column has it: a text in another language, or of another kind."""
    return any(
        cell.strip()
        for column, cell in zip(profile.columns, row, strict=True)
        if column.field == field
    )


def _named(header: list[str]) -> Profile | None:
    ours = map(profiles.shipped, profiles.SHIPPED)
    return next((profile for profile in ours if _within(profile, header)), None)


def _within(profile: Profile, header: list[str]) -> Profile | None:
    """Return the profile for the languages in the header; None where it is that of another."""
    marks = [f"{column.header}{OF_LANGUAGE}" for column in profile.columns if column.each_language]
    languages = dict.fromkeys(
        name.removeprefix(mark) for name in header for mark in marks if name.startswith(mark)
    )
    made = profile.within(list(languages))
    return made if header == [column.header for column in made.columns] else None
