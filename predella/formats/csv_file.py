"""Rows of CSV as RFC 4180 has them, and how a spreadsheet is kept from running them.

A spreadsheet would run a value that begins like a formula, so such a value gets an
apostrophe in front. To read a value back, take one apostrophe away where a value begins with
apostrophes followed by one of ``= + - @``, their full-width forms, a tab or a line break.
"""

import csv
import io
import re
from collections.abc import Iterable

_FORMULA = re.compile("'*[=+\\-@\uff1d\uff0b\uff0d\uff20\t\r\n]")


def row(values: Iterable[object], *, for_spreadsheet: bool = True) -> bytes:
    """Return one line of CSV; for a spreadsheet, one that none takes for a formula."""
    out = io.StringIO()
    cells = ("" if value is None else str(value) for value in values)
    csv.writer(out).writerow(map(_safe, cells) if for_spreadsheet else cells)
    return out.getvalue().encode()


def is_formula(cell: str) -> bool:
    """Say whether a spreadsheet would run the cell."""
    return _FORMULA.match(cell) is not None and not cell.startswith("'")


def _safe(text: str) -> str:
    return f"'{text}" if _FORMULA.match(text) else text
