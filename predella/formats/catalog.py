"""The catalog formats by name, and how a file in one of them is written."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from predella.errors import UnknownNamesError
from predella.formats import iiif, jsonl, lido, linked_art, paintingform, profiles, xmp
from predella.formats.bundle import Bundle, Unit, bundled
from predella.formats.entry import Departing, TextKind


class Writable(Protocol):
    """What a file is written to."""

    def write(self, data: bytes, /) -> int:
        """Take all of these bytes."""


class CatalogFormat(Protocol):
    """What writes a format: a file is BEGIN, its records with SEPARATOR between them, END.

    The same texts give the same bytes, whenever and beside whatever else they are written.
    """

    MEDIA_TYPE: str
    SUFFIX: str
    BEGIN: bytes
    SEPARATOR: bytes
    END: bytes
    UNIT: Unit
    """What one record is about."""
    KINDS: frozenset[TextKind]
    """The texts that have a place in this format; an export leaves the others out."""
    ADDRESSED: bool
    """It names things by addresses: an entry needs a ``base``."""
    WITHDRAWS: bool
    """It has something to put in the place of a withdrawn text."""

    def encode(self, bundle: Bundle, /) -> bytes:
        """Return the bytes of one record; none where the format has nothing for what went."""


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
    """What was written for one text, or for a tombstone."""

    entry: Departing
    sha256: bytes
    """Of the bytes of its record, which it may share with others."""
    size: int
    """Of these bytes."""


def named(name: str) -> CatalogFormat:
    """Return the format of this name.

    Raises:
        UnknownNamesError: there is no such format.
    """
    if name not in FORMATS:
        raise UnknownNamesError("catalog format", {name}, FORMATS)
    return FORMATS[name]


def write(lines: Iterable[Departing], out: Writable, *, to: CatalogFormat) -> Iterator[WrittenLine]:
    """Write a file record by record, and tell of each line what was written.

    The lines come in the order of the format's ``UNIT``. One record at a time is in memory. The
    file is whole when the iterator is exhausted.
    """
    out.write(to.BEGIN)
    between = b""
    for together in bundled(lines, to.UNIT, lambda line: line):
        data = to.encode(Bundle.of(together))
        if data:
            out.write(between)
            between = to.SEPARATOR
        out.write(data)
        digest = sha256(data).digest()
        yield from (WrittenLine(line, digest, len(data)) for line in together)
    out.write(to.END)
