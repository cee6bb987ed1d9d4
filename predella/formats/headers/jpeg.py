"""Where a JPEG keeps its size and its metadata; XMP beyond the first 64 KB is passed over.

Source: ITU T.81 annex B; XMP Specification part 3, 1.1.3; IPTC-IIM in Photoshop's APP13.
"""

from predella.formats.headers.pieces import Pieces
from predella.formats.headers.walking import Block, Form, Size, Walk

_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_BARE = frozenset({0x01, *range(0xD0, 0xD9)})
"""Markers without a segment."""
_LAST = frozenset({0xD9, 0xDA})
"""The end of the image, and the beginning of its pixels."""
_FILL = 0xFF
_SIGNED = {
    0xE1: (b"http://ns.adobe.com/xap/1.0/\0", Form.XMP),
    0xED: (b"Photoshop 3.0\0", Form.RESOURCES),
}


def walk(file: Pieces) -> Walk:
    """Go from marker to marker up to the pixels, or to what is no marker."""
    place = 2
    while True:
        fill, code = file.at(place, 2)
        if fill != _FILL or code in _LAST:
            return
        if code == _FILL or code in _BARE:
            place += 1 if code == _FILL else 2
            continue
        (length,) = file.unpack(">H", place + 2)
        if code in _FRAMES:
            height, width = file.unpack(">HH", place + 5)
            yield Size(width, height)
        if code in _SIGNED:
            yield from _block(file, place + 4, length - 2, *_SIGNED[code])
        place += 2 + length


def _block(file: Pieces, start: int, length: int, signature: bytes, form: Form) -> Walk:
    own = len(signature)
    if length > own and file.at(start, own) == signature:
        yield Block(form, start + own, length - own)
