"""TIFF and BigTIFF of kinds that Pillow does not write."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

GREY, RGB, CMYK, LAB = 1, 2, 5, 8
ASSOCIATED, UNASSOCIATED = 1, 2
_TYPES = {"B": 7, "H": 3, "I": 4, "Q": 16}
_ROWS = 64

Tag = tuple[int, str, Sequence[int]]


def tiff(
    path: Path,
    pixels: NDArray[np.unsignedinteger],
    photometric: int,
    *,
    extra: int | None = None,
    big: bool = False,
    order: Literal["<", ">"] = "<",
    icc_profile: bytes = b"",
) -> Path:
    """Write the pixels (height x width x bands) without compression, in strips of 64 rows."""
    layout = _Layout(order, big)
    height, width, bands = pixels.shape
    tops = range(0, height, _ROWS)
    row = width * bands * pixels.itemsize
    tags: list[Tag] = [
        *((256, "I", [width]), (257, "I", [height]), (258, "H", [8 * pixels.itemsize] * bands)),
        *((259, "H", [1]), (262, "H", [photometric]), (277, "H", [bands]), (278, "I", [_ROWS])),
        (273, layout.word, [layout.start + row * top for top in tops]),
        (279, layout.word, [row * min(_ROWS, height - top) for top in tops]),
    ]
    tags += [] if extra is None else [(338, "H", [extra])]
    tags += [(34675, "B", icc_profile)] if icc_profile else []
    data = pixels.astype(pixels.dtype.newbyteorder(order)).tobytes()
    path.write_bytes(layout.file(data, tags))
    return path


def twelve_bit_tiff(path: Path, pixels: NDArray[np.uint16]) -> Path:
    """Write grey values below 4096, two of them in three bytes; the width is even."""
    layout = _Layout("<", big=False)
    left, right = pixels[:, 0::2], pixels[:, 1::2]
    parts = (left >> 4, (left & 15) << 4 | right >> 8, right & 255)
    data = np.stack(parts, -1).astype(np.uint8).tobytes()
    height, width = pixels.shape
    tags: list[Tag] = [
        *((256, "I", [width]), (257, "I", [height]), (258, "H", [12]), (259, "H", [1])),
        *((262, "H", [GREY]), (273, "I", [layout.start]), (277, "H", [1])),
        *((278, "I", [height]), (279, "I", [len(data)])),
    ]
    path.write_bytes(layout.file(data, tags))
    return path


@dataclass(frozen=True)
class _Layout:
    order: str
    big: bool

    @property
    def word(self) -> str:
        return "Q" if self.big else "I"

    @property
    def start(self) -> int:
        return 16 if self.big else 8

    def pack(self, kinds: str, *values: int) -> bytes:
        return struct.pack(self.order + kinds, *values)

    def file(self, data: bytes, tags: Sequence[Tag]) -> bytes:
        body, entries = data, b""
        for tag, kind, values in sorted(tags):
            field = self.pack(f"{len(values)}{kind}", *values)
            if len(field) > struct.calcsize(self.word):
                body, field = body + field, self.pack(self.word, self.start + len(body))
            entries += self.pack(f"HH{self.word}", tag, _TYPES[kind], len(values))
            entries += field.ljust(struct.calcsize(self.word), b"\0")
        count = self.pack("Q" if self.big else "H", len(tags))
        return self.head(self.start + len(body)) + body + count + entries + bytes(8)

    def head(self, directory: int) -> bytes:
        mark = b"II" if self.order == "<" else b"MM"
        if self.big:
            return mark + self.pack("HHHQ", 43, 8, 0, directory)
        return mark + self.pack("HI", 42, directory)
