"""IPTC-IIM: the datasets that newspapers began with, and that scanning stations still write.

Source: IPTC-NAA Information Interchange Model 4.2; Adobe Photoshop File Formats, image resources.
"""

import struct
from collections.abc import Iterator

_MARK = 0x1C
_HEAD = struct.Struct(">BBBH")
_EXTENDED = 0x8000
_CHARACTERS = (1, 90)
_UTF_8 = b"\x1b%G"
_RESOURCE = struct.Struct(">4sH")
_IIM = 0x0404


def values(block: bytes, dataset: tuple[int, int]) -> list[str]:
    """Return every value of a dataset, such as 2:103."""
    found = list(_datasets(block))
    is_utf_8 = any(value == _UTF_8 for name, value in found if name == _CHARACTERS)
    return [_text(value, is_utf_8=is_utf_8) for name, value in found if name == dataset]


def in_resources(block: bytes) -> bytes:
    """Return the IIM in Photoshop's image resources; nothing where there is none."""
    place = 0
    while place + _RESOURCE.size < len(block):
        mark, number = _RESOURCE.unpack_from(block, place)
        if mark != b"8BIM":
            break
        name = block[place + _RESOURCE.size]
        place += _RESOURCE.size + 1 + name + (name + 1) % 2
        length = int.from_bytes(block[place : place + 4])
        place += 4
        if number == _IIM:
            return block[place : place + length]
        place += length + length % 2
    return b""


def _datasets(block: bytes) -> Iterator[tuple[tuple[int, int], bytes]]:
    place = 0
    while place + _HEAD.size <= len(block):
        mark, record, number, length = _HEAD.unpack_from(block, place)
        if mark != _MARK or length & _EXTENDED:
            return
        place += _HEAD.size
        yield (record, number), block[place : place + length]
        place += length


def _text(value: bytes, *, is_utf_8: bool) -> str:
    """Return the characters; where nothing is said of them, UTF-8 if it can be, else Latin-1."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode(errors="replace") if is_utf_8 else value.decode("latin-1")
