"""Where a PNG keeps its size and its XMP, which may follow the pixels.

Source: W3C PNG, 5.3 and 11.3.3.4; XMP Specification part 3, 1.1.5.
"""

from predella.formats.headers.pieces import Pieces
from predella.formats.headers.walking import Block, Form, Size, Walk

_FIRST = 8
_AROUND = 12
"""Bytes of a chunk beside its own: length, name, checksum."""
_KEY = b"XML:com.adobe.xmp\0"
_TAIL = 1 << 16
"""How far from the end of the file XMP is looked for."""
_LANGUAGE = 200
"""Bytes that the language and the keyword in it may take, which XMP leaves empty."""


def walk(file: Pieces) -> Walk:
    """Go from chunk to chunk up to the pixels, then look at the end of the file."""
    place = _FIRST
    while True:
        length, name = file.unpack(">I4s", place)
        if name in {b"IDAT", b"IEND"}:
            break
        if name == b"IHDR":
            yield Size(*file.unpack(">II", place + 8))
        if name == b"iTXt":
            yield from _text(file, place + 8, length)
        place += _AROUND + length
    start = max(place, file.size - _TAIL)
    tail = file.at(start, file.size - start)
    if (found := tail.find(b"iTXt" + _KEY)) >= len(b"IDAT"):
        length = int.from_bytes(tail[found - 4 : found])
        yield from _text(file, start + found + 4, length)


def _text(file: Pieces, start: int, length: int) -> Walk:
    if length <= len(_KEY) or file.at(start, len(_KEY)) != _KEY:
        return
    head = file.at(start, min(length, len(_KEY) + 2 + _LANGUAGE))
    language = head.find(b"\0", len(_KEY) + 2)
    keyword = head.find(b"\0", language + 1)
    if language >= 0 and keyword >= 0:
        own = keyword + 1
        is_deflated = head[len(_KEY)] == 1
        yield Block(Form.XMP, start + own, length - own, is_deflated=is_deflated)
