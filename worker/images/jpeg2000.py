"""What Pillow leaves out of JPEG 2000: the profile, the depth, and a size that is rounded up."""

import math
import struct
from collections.abc import Iterator
from typing import IO, Any

from PIL.ImageFile import ImageFile

_CODESTREAM = b"\xff\x4f\xff\x51"
_SIZE, _STYLE, _TILE = 0xFF51, 0xFF52, 0xFF90
"""Markers of a codestream: SIZ, COD, and SOT, before which both of them stand."""
_BOX, _LONG = struct.Struct(">I4s"), struct.Struct(">Q")
_SEGMENT, _LENGTH = struct.Struct(">HH"), 2
_DEPTH_AT, _LEVELS_AT, _TRANSFORM_AT = 36, 5, 9
_ICC_METHODS = frozenset({2, 3})
_LEVELS, _LOSSLESS = "levels", "lossless"


def info(file: IO[bytes]) -> dict[str, Any]:
    """Return what the file says of itself (ISO/IEC 15444-1, annexes A and I), for ``Image.info``.

    ``icc_profile`` and ``bit_depth``, where there are any, how often its size can be halved by
    leaving things out, and whether it can be lossless. What is damaged is as if it were not said:
    Pillow will refuse it.
    """
    end = file.seek(0, 2)
    file.seek(0)
    if file.read(len(_CODESTREAM)) == _CODESTREAM:
        return _of_codestream(file, 0)
    said: dict[str, Any] = {}
    for kind, first, last in _boxes(file, 0, end):
        if kind == b"jp2h":
            said |= _of_header(file, first, last)
        elif kind == b"jp2c":
            return said | _of_codestream(file, first)
    return said


def draft(image: ImageFile, at_least: int) -> int:
    """Let the file decode at 1/2, 1/4 ... where that leaves enough; return 2, 4 ..., else 1.

    Each halving keeps the even pixels, low-passed: the middle of a smaller pixel is that of the
    first of the larger ones. The lossless transform rounds up, to half a level brighter each
    time, so that more must be left. Pillow rounds the size to the nearest, and fails where the
    format rounds it up.
    """
    times = 0
    if image.info.get(_LOSSLESS):
        at_least += at_least // 2
    while times < image.info.get(_LEVELS, 0) and max(image.size) >> (times + 1) >= at_least:
        times += 1
    divisor = 1 << times
    size = math.ceil(image.width / divisor), math.ceil(image.height / divisor)
    codec, _, *rest = tuple(image.tile[0].args or ())
    image.tile = [image.tile[0]._replace(extents=(0, 0, *size), args=(codec, times, *rest))]
    image._size = size  # noqa: SLF001  (what Pillow's own draft of a JPEG does)
    return divisor


def _of_header(file: IO[bytes], first: int, last: int) -> dict[str, bytes]:
    for kind, begin, end in _boxes(file, first, last):
        if kind == b"colr":
            file.seek(begin)
            content = file.read(end - begin)
            if content[:1] and content[0] in _ICC_METHODS:
                return {"icc_profile": content[3:]}
    return {}


def _boxes(file: IO[bytes], place: int, last: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield each box: its kind, where its content begins, and where it ends."""
    while place + _BOX.size <= last:
        file.seek(place)
        length, kind = _BOX.unpack(file.read(_BOX.size))
        begin = place + _BOX.size
        if length == 1 and begin + _LONG.size <= last:
            (length,) = _LONG.unpack(file.read(_LONG.size))
            begin += _LONG.size
        place = last if length == 0 else place + length
        if not begin <= place <= last:
            return
        yield kind, begin, place


def _of_codestream(file: IO[bytes], start: int) -> dict[str, int]:
    said: dict[str, int] = {}
    file.seek(start + 2)
    while len(head := file.read(_SEGMENT.size)) == _SEGMENT.size:
        marker, length = _SEGMENT.unpack(head)
        if marker == _TILE or length < _LENGTH:
            break
        content = file.read(length - _LENGTH)
        if marker == _SIZE and len(content) > _DEPTH_AT:
            said["bit_depth"] = (content[_DEPTH_AT] & 0x7F) + 1
        elif marker == _STYLE and len(content) > _TRANSFORM_AT:
            said[_LEVELS] = content[_LEVELS_AT]
            said[_LOSSLESS] = content[_TRANSFORM_AT]
    return said
