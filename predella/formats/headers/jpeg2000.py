"""Where a JPEG 2000 keeps its size and its metadata: JP2, JPX, or a bare codestream.

Source: ITU T.800 annexes A.5.1 and I; XMP Specification part 3, 1.1.4.
"""

from predella.formats.headers.pieces import EndError, Pieces
from predella.formats.headers.walking import Block, Form, Size, Walk

_CODESTREAM = b"\xff\x4f\xff\x51"
_UUIDS = {
    bytes.fromhex("be7acfcb97a942e89c71999491e3afac"): Form.XMP,
    bytes.fromhex("33c7a4d2b81d4723a0baf1a3e097ad38"): Form.IIM,
}
_UUID = 16
_SHORT, _LONG = 8, 16
"""Bytes in front of what a box holds."""


def walk(file: Pieces) -> Walk:
    """Go from box to box; metadata may follow the pixels."""
    if file.at(0, 4) == _CODESTREAM:
        right, bottom, left, top = file.unpack(">IIII", 8)
        yield Size(right - left, bottom - top)
        return
    yield from _boxes(file, 0, file.size)


def _boxes(file: Pieces, place: int, end: int) -> Walk:
    while place < end:
        length, name = file.unpack(">I4s", place)
        own = _SHORT
        if length == 1:
            (length,), own = file.unpack(">Q", place + _SHORT), _LONG
        length = length or end - place
        if length < own:
            return
        yield from _box(file, name, place + own, length - own)
        place += length
    if place > file.size:
        raise EndError


def _box(file: Pieces, name: bytes, start: int, length: int) -> Walk:
    if name == b"jp2h":
        yield from _boxes(file, start, start + length)
    if name == b"ihdr":
        height, width = file.unpack(">II", start)
        yield Size(width, height)
    if name == b"uuid" and length > _UUID:
        form = _UUIDS.get(file.at(start, _UUID))
        if form is not None:
            yield Block(form, start + _UUID, length - _UUID)
