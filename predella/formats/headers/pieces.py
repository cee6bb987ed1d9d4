"""A file of which only some pieces are here."""

import struct
from collections.abc import Iterable
from typing import Any

MAX_PIECE = 4 << 20
"""Bytes of what is looked at as a whole: a directory, or a block of metadata."""


class MoreError(Exception):
    """The answer lies in a piece of the file that is not here."""

    def __init__(self, start: int, length: int) -> None:
        super().__init__(f"bytes {start} to {start + length} are not here")
        self.start, self.length = start, length


class EndError(Exception):
    """The file ends before that."""


class TooLongError(Exception):
    """A part of the file claims to be longer than anything that is looked at."""


class Pieces:
    """The bytes of a file, as far as they were fetched."""

    def __init__(self, size: int, pieces: Iterable[tuple[int, bytes]]) -> None:
        self.size = size
        self._pieces = list(pieces)

    def at(self, start: int, length: int) -> bytes:
        """Return so many bytes from there on.

        Raises:
            MoreError: they would have to be fetched.
            EndError: the file is not that long.
            TooLongError: these are too many.
        """
        if start + length > self.size:
            raise EndError
        if length > MAX_PIECE:
            raise TooLongError
        for begin, held in self._pieces:
            if begin <= start and start + length <= begin + len(held):
                return held[start - begin : start - begin + length]
        raise MoreError(start, length)

    def unpack(self, form: str, start: int) -> tuple[Any, ...]:
        """Return the values that lie there, as ``struct`` has them."""
        return struct.unpack(form, self.at(start, struct.calcsize(form)))
