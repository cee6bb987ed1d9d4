"""Where a TIFF or BigTIFF keeps the size and the metadata of its first picture.

Source: TIFF 6.0, section 2; XMP Specification part 3, 3.2.8; Adobe TIFF Technical Note 3.
"""

import struct
from dataclasses import dataclass

from predella.formats.headers.pieces import Pieces
from predella.formats.headers.walking import Block, Form, Size, Walk

_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 6: 1, 7: 1, 13: 4, 16: 8, 17: 8, 18: 8}
"""Of one value of each type that matters here."""
_NUMBERS = {1: "B", 3: "H", 4: "I", 16: "Q"}
_WIDTH, _HEIGHT = 256, 257
_BLOCKS = {700: Form.XMP, 33723: Form.IIM, 34377: Form.RESOURCES}
_BIG = 43


@dataclass(frozen=True, slots=True)
class _Layout:
    """What differs between TIFF and BigTIFF."""

    first: int
    """Where the place of the first directory stands."""
    offset: str
    count: str
    """Of entries."""
    entry: int
    """Bytes of one."""
    value: int
    """Where in an entry its value stands, or the place of it."""


_CLASSIC = _Layout(4, "I", "H", 12, 8)
_LARGE = _Layout(8, "Q", "Q", 20, 12)


def walk(file: Pieces) -> Walk:
    """Read the first directory, wherever in the file it lies."""
    order = "<" if file.at(0, 2) == b"II" else ">"
    layout = _LARGE if file.unpack(f"{order}H", 2) == (_BIG,) else _CLASSIC
    (start,) = file.unpack(order + layout.offset, layout.first)
    (count,) = file.unpack(order + layout.count, start)
    start += struct.calcsize(f"={layout.count}")
    file.at(start, count * layout.entry)
    found = {}
    for place in range(start, start + count * layout.entry, layout.entry):
        tag, kind, values = file.unpack(f"{order}HH{layout.offset}", place)
        if tag in {_WIDTH, _HEIGHT, *_BLOCKS} and kind in _BYTES:
            found[tag] = (kind, *_extent(file, order, layout, place, values * _BYTES[kind]))
    sides = [found[tag] for tag in (_WIDTH, _HEIGHT) if tag in found]
    if len(sides) == len((_WIDTH, _HEIGHT)) and all(kind in _NUMBERS for kind, _, _ in sides):
        yield Size(*(_number(file, order, kind, start) for kind, start, _ in sides))
    for tag in _BLOCKS.keys() & found.keys():
        yield Block(_BLOCKS[tag], *found[tag][1:])


def _extent(file: Pieces, order: str, layout: _Layout, place: int, length: int) -> tuple[int, int]:
    """Return where a value lies, in its entry or elsewhere, and how long it is."""
    here = place + layout.value
    if length <= layout.entry - layout.value:
        return here, length
    (elsewhere,) = file.unpack(order + layout.offset, here)
    return elsewhere, length


def _number(file: Pieces, order: str, kind: int, start: int) -> int:
    (number,) = file.unpack(order + _NUMBERS[kind], start)
    return int(number)
