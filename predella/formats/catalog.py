"""The catalog formats by name, and how a file in one of them is written."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import BinaryIO, Protocol

from predella.errors import UnknownNamesError
from predella.formats import csv_file, jsonl, lido
from predella.formats.entry import CatalogEntry


class CatalogFormat(Protocol):
    """What a module that writes a format has: a file is BEGIN, its entries, END.

    The same entry gives the same bytes, whenever and beside whatever else it is written.
    """

    MEDIA_TYPE: str
    SUFFIX: str
    BEGIN: bytes
    END: bytes

    def encode(self, entry: CatalogEntry, /) -> bytes:
        """Return the bytes of one entry."""


FORMATS: Mapping[str, CatalogFormat] = {"csv": csv_file, "jsonl": jsonl, "lido": lido}


@dataclass(frozen=True, slots=True)
class WrittenLine:
    """What was written for one entry."""

    entry: CatalogEntry
    sha256: bytes
    """Of the entry's bytes in the file."""
    size: int


def named(name: str) -> CatalogFormat:
    """Return the format of this name.

    Raises:
        UnknownNamesError: there is no such format.
    """
    if name not in FORMATS:
        raise UnknownNamesError("catalog format", {name}, FORMATS)
    return FORMATS[name]


def write(
    entries: Iterable[CatalogEntry], out: BinaryIO, *, to: CatalogFormat
) -> Iterator[WrittenLine]:
    """Write a file entry by entry, and tell of each what was written.

    One entry at a time is in memory. The file is whole when the iterator is exhausted.
    """
    out.write(to.BEGIN)
    for entry in entries:
        data = to.encode(entry)
        out.write(data)
        yield WrittenLine(entry, sha256(data).digest(), len(data))
    out.write(to.END)
