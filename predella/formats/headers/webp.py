"""Where a WebP keeps its size and its XMP.

Source: RFC 9649, sections 2.3 to 2.7; RFC 6386, 9.1.
"""

from predella.formats.headers.pieces import EndError, Pieces
from predella.formats.headers.walking import Block, Form, Size, Walk

_FIRST = 12
_HEAD = 8
_SIDE = 0x3FFF
_HAS_XMP = 0x04


def walk(file: Pieces) -> Walk:
    """Go from chunk to chunk; metadata follows the pixels."""
    (length,) = file.unpack("<I", 4)
    end = _HEAD + length
    if end > file.size:
        raise EndError
    place = _FIRST
    while place < end:
        name, length = file.unpack("<4sI", place)
        start = place + _HEAD
        if name == b"XMP ":
            yield Block(Form.XMP, start, length)
        if name in {b"VP8 ", b"VP8L", b"VP8X"}:
            yield _size(file, name, start)
        if place == _FIRST and not (name == b"VP8X" and _has_xmp(file, start)):
            return
        place = start + length + length % 2


def _size(file: Pieces, name: bytes, start: int) -> Size:
    if name == b"VP8X":
        sides = file.at(start + 4, 6)
        return Size(
            1 + int.from_bytes(sides[:3], "little"), 1 + int.from_bytes(sides[3:], "little")
        )
    if name == b"VP8L":
        (bits,) = file.unpack("<I", start + 1)
        return Size(1 + (bits & _SIDE), 1 + (bits >> 14 & _SIDE))
    width, height = file.unpack("<HH", start + 6)
    return Size(width & _SIDE, height & _SIDE)


def _has_xmp(file: Pieces, start: int) -> bool:
    return bool(file.at(start, 1)[0] & _HAS_XMP)
