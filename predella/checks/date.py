"""Does the text date the picture? No pixel shows a year."""

import re
from collections.abc import Iterator

from predella.checks.context import Context
from predella.checks.finding import Remark, Severity
from predella.checks.saying import Sayings
from predella.checks.wording import Wording

_YEAR = r"(?:1[1-9]\d\d|20[0-4]\d)"
_WHEN = (
    r"in|by|since|around|about|circa|ca?\.|from|until|after|before|during|dated?|of|"
    r"anno|um|im Jahre?|vers|nel|rond|uit|aus"
)
# A bare number may count strokes ("about 1200 strokes"); a year says so.
_YEARS = re.compile(
    rf"\b(?:{_WHEN})\s+(?:the\s+|year\s+)*(?P<after>{_YEAR})\b"
    r"(?!'?s\b|\s?[-/]\s?\d|\s+(?!as\b|is\b|was\b)[a-z]+s\b)"
    rf"|\b(?P<span>{_YEAR}\s?[-/]\s?\d{{2,4}})\b"
    rf"|\b(?P<decade>{_YEAR}'?s)\b"
    rf"|[(\[]\s*(?P<alone>{_YEAR})\s*[)\]]",
    re.IGNORECASE,
)
_DIGIT = re.compile(r"\d{4}")
_ORDINAL = (
    "twelfth|thirteenth|fourteenth|fifteenth|sixteenth|seventeenth|eighteenth|nineteenth|"
    "twentieth|twenty-first"
)
_CENTURY = re.compile(
    rf"\b(?:(?:early|mid|late)[- ])?(?:\d{{1,2}}(?:st|nd|rd|th)|{_ORDINAL})[- ]centur(?:y|ies)\b"
    r"|\b\d{1,2}(?:de|e|ste) eeuw\b|\b\d{1,2}\. Jahrhundert\w*|\b[XIV]{1,5}e siècle\b",
    re.IGNORECASE,
)

SAYS: Sayings = {
    "year": ("“{quote}” is a date; it cannot be seen in the picture.",),
    "century": ("“{quote}” is a century; it cannot be seen in the picture.",),
}


def find(wording: Wording, _context: Context) -> Iterator[Remark]:
    """Tell years, decades and centuries."""
    years = _YEARS.finditer(wording.plain) if _DIGIT.search(wording.plain) else ()
    for match in years:
        how = str(match.lastgroup)
        yield Remark(Severity.SOFT, match.span(how), {"kind": "year"})
    for match in _CENTURY.finditer(wording.plain):
        yield Remark(Severity.SOFT, match.span(), {"kind": "century"})
