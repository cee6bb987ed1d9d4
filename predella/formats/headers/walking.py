"""What a walk through the header of a file comes across."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from predella.formats.headers.pieces import MAX_PIECE, Pieces


@dataclass(frozen=True, slots=True)
class Size:
    """Width and height as they lie in the file, in pixels."""

    width: int
    height: int


class Form(StrEnum):
    """How a block of metadata is written."""

    XMP = "xmp"
    IIM = "iim"
    RESOURCES = "resources"
    """Photoshop's image resources, one of which is IIM."""


@dataclass(frozen=True, slots=True)
class Block:
    """Where a block of metadata lies; it is not read unless it is wanted."""

    form: Form
    start: int
    length: int
    is_deflated: bool = False

    def read(self, pieces: Pieces) -> bytes:
        """Return its bytes; of what unpacks to too many, none."""
        held = pieces.at(self.start, self.length)
        if not self.is_deflated:
            return held
        unpacking = zlib.decompressobj()
        try:
            unpacked = unpacking.decompress(held, MAX_PIECE)
        except zlib.error:
            return b""
        return unpacked if unpacking.eof else b""


Walk: TypeAlias = Iterator[Size | Block]
