"""The pages of a TIFF, as far as they are few."""

import struct
from typing import IO

_FEW = 100
_BIG = 43


def are_few(file: IO[bytes]) -> bool:
    """Say whether the pages end within a hundred; a file of a gigabyte may hold ten million."""
    file.seek(0)
    head = file.read(16)
    order = "<" if head.startswith(b"II") else ">"
    is_big = struct.unpack_from(order + "H", head, 2) == (_BIG,)
    count, entry, link = ("Q", 20, "Q") if is_big else ("H", 12, "I")
    (place,) = struct.unpack_from(order + link, head, 8 if is_big else 4)
    for _ in range(_FEW):
        if place == 0:
            return True
        file.seek(place)
        entries = _number(file, order + count)
        file.seek(entries * entry, 1)
        place = _number(file, order + link)
    return False


def _number(file: IO[bytes], kind: str) -> int:
    """Return the next number of the file; 0, as after the last page, where the file ends."""
    content = file.read(struct.calcsize(kind))
    return struct.unpack(kind, content)[0] if len(content) == struct.calcsize(kind) else 0
