"""The catalog formats by name, and how a file in one of them is written."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from predella.errors import UnknownNamesError
from predella.formats import iiif, jsonl, lido, linked_art, paintingform, profiles, xmp
from predella.formats.entry import CatalogEntry, CatalogTombstone, Departing, TextKind


class Writable(Protocol):
    """What a file is written to."""

    def write(self, data: bytes, /) -> int:
        """Take all of these bytes."""


class CatalogFormat(Protocol):
    """What writes a format: a file is BEGIN, its lines with SEPARATOR between them, END.

    The same entry gives the same bytes, whenever and beside whatever else it is written.
    """

    MEDIA_TYPE: str
    SUFFIX: str
    BEGIN: bytes
    SEPARATOR: bytes
    END: bytes
    KINDS: frozenset[TextKind]
    """The texts that have a place in this format; an export leaves the others out."""
    ADDRESSED: bool
    """It names things by addresses: an entry needs a ``base``."""
    WITHDRAWS: bool
    """It has something to put in the place of a withdrawn text."""

    def encode(self, entry: CatalogEntry, /) -> bytes:
        """Return the bytes of one entry."""

    def bury(self, tombstone: CatalogTombstone, /) -> bytes:
        """Return the bytes that withdraw an entry; none where the format has nothing for it."""


FORMATS: Mapping[str, CatalogFormat] = {
    "csv": profiles.shipped("generic"),
    **{name: profiles.shipped(name) for name in profiles.SHIPPED if name != "generic"},
    "iiif": iiif,
    "jsonl": jsonl,
    "lido": lido,
    "linked-art": linked_art,
    "paintingform": paintingform,
    "xmp": xmp,
}


@dataclass(frozen=True, slots=True)
class WrittenLine:
    """What was written for one entry, or for a tombstone."""

    entry: Departing
    sha256: bytes
    """Of the line's bytes in the file."""
    size: int


def named(name: str) -> CatalogFormat:
    """Return the format of this name.

    Raises:
        UnknownNamesError: there is no such format.
    """
    if name not in FORMATS:
        raise UnknownNamesError("catalog format", {name}, FORMATS)
    return FORMATS[name]


def write(lines: Iterable[Departing], out: Writable, *, to: CatalogFormat) -> Iterator[WrittenLine]:
    """Write a file line by line, and tell of each what was written.

    One line at a time is in memory. The file is whole when the iterator is exhausted.
    """
    out.write(to.BEGIN)
    between = b""
    for line in lines:
        data = to.encode(line) if isinstance(line, CatalogEntry) else to.bury(line)
        if data:
            out.write(between)
            between = to.SEPARATOR
        out.write(data)
        yield WrittenLine(line, sha256(data).digest(), len(data))
    out.write(to.END)
