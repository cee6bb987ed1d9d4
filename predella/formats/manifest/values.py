"""One parser per kind of cell: from what a team wrote to what it means.

Each takes a cell that is not empty and raises `CellError` when it cannot be right.
"""

import re
from collections.abc import Callable
from datetime import date

from predella.formats import addresses, rights
from predella.formats.manifest.problems import CellError
from predella.formats.text import normalise

MAX_TEXT = 10_000
"""Characters in a cell."""
MAX_LINE = 200
"""Characters in an identifier or a keyword."""
MAX_URI = 2_000
MAX_KEY = 1_024
"""Bytes of an object key in S3."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_URI = re.compile(
    r"(?:https?://(?!/)|urn:[a-z0-9-]+:)[^\s\x00-\x20\x7f<>\"{}|\\^`]+", re.IGNORECASE
)
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")
_YES = frozenset({"y", "yes", "true", "1"})
_NO = frozenset({"n", "no", "false", "0"})


def prose(cell: str) -> str:
    """Return free text."""
    return normalise(cell).strip()


def line(cell: str) -> str:
    """Return a short value without line breaks."""
    if _CONTROL.search(cell):
        raise CellError("control_character", "contains a line break or a control character")
    _no_longer_than(MAX_LINE, cell)
    return prose(cell)


def keyword(cell: str) -> str:
    """Return a short value in lower case."""
    return line(cell).lower()


def filename(cell: str) -> str:
    """Return an object key relative to the collection's prefix, exactly as written.

    It is not normalised: S3 tells a composed and a decomposed letter apart.
    """
    if _CONTROL.search(cell):
        raise CellError("control_character", "contains a line break or a control character")
    if len(cell.encode()) > MAX_KEY:
        raise CellError("too_long", f"is longer than {MAX_KEY} bytes")
    if "://" in cell or "\\" in cell or cell.startswith("/"):
        raise CellError("bad_filename", "must be relative to the collection, parted by /")
    if {"", ".", ".."} & set(cell.split("/")):
        raise CellError("bad_filename", 'must name a file, without empty, "." or ".." parts')
    return cell


def number(cell: str) -> int:
    """Return a whole number from 0 to 999,999,999."""
    if not re.fullmatch(r"[0-9]{1,9}", cell):
        raise CellError("bad_number", "is not a whole number")
    return int(cell)


def yes_no(cell: str) -> bool:
    """Return true for yes."""
    if cell.lower() not in _YES | _NO:
        raise CellError("bad_choice", "is not one of y, n")
    return cell.lower() in _YES


def choice(*names: str) -> Callable[[str], str]:
    """Return a parser of a closed list."""

    def parse(cell: str) -> str:
        if cell.lower() not in names:
            raise CellError("bad_choice", f"is not one of {', '.join(names)}")
        return cell.lower()

    return parse


def allowed(cell: str) -> bool:
    """Return true for ``allowed``, false for ``denied``."""
    return choice("allowed", "denied")(cell) == "allowed"


def digest(name: str, size: int) -> Callable[[str], bytes]:
    """Return a parser of so many bytes in hexadecimal digits."""

    def parse(cell: str) -> bytes:
        digits = cell.lower().removeprefix(f"{name}:")
        if not re.fullmatch(rf"[0-9a-f]{{{2 * size}}}", digits):
            raise CellError("bad_digest", f"is not a {name} of {2 * size} digits 0-9, a-f")
        return bytes.fromhex(digits)

    return parse


def etag(cell: str) -> str:
    """Return an S3 ETag without its quotes."""
    return line(cell).removeprefix("W/").strip('"')


def uri(cell: str) -> str:
    """Return a web address or a URN."""
    _no_longer_than(MAX_URI, cell)
    if not _URI.fullmatch(cell):
        raise CellError("bad_uri", "is not an address that begins with http://, https:// or urn:")
    return cell


def iiif_service(cell: str) -> str:
    """Return the base address of an image in an IIIF Image API."""
    base = uri(cell).removesuffix("/info.json").rstrip("/")
    if not base.startswith("https://") or not addresses.usable(base):
        raise CellError("bad_uri", "is not the https:// address of an image in an IIIF Image API")
    return base


def uris(cell: str) -> str:
    """Return addresses parted by spaces, from ones parted by spaces, ``;`` or ``|``."""
    return " ".join(uri(part) for part in re.split(r"[\s;|]+", cell) if part)


def rights_statement(cell: str) -> str:
    """Return a known rights statement in its canonical form."""
    if (canonical := rights.canonical(cell)) is None:
        raise CellError(
            "unknown_rights",
            "is not a statement of rightsstatements.org or creativecommons.org;"
            " leave the cell empty when the rights are not known",
        )
    return canonical


def language(cell: str) -> str:
    """Return a BCP 47 language tag."""
    if len(cell) > MAX_LINE or not _LANGUAGE.fullmatch(cell):
        raise CellError("bad_language", "is not a language tag like en or pt-BR")
    return cell


def day(cell: str) -> date:
    """Return a date, written in the one order that cannot be misread."""
    try:
        return date.fromisoformat(cell if re.fullmatch(r"[\d-]{10}", cell, re.ASCII) else "")
    except ValueError:
        raise CellError("bad_date", "is not a date like 2031-12-31") from None


def _no_longer_than(limit: int, cell: str) -> None:
    if len(cell) > limit:
        raise CellError("too_long", f"is longer than {limit} characters")
