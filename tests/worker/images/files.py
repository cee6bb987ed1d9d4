"""Files as museums hand them in, and the picture that all of them show."""

import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
_ADAM7 = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)


def painting(width: int, height: int, *, seed: int = 0) -> Image.Image:
    """Return a picture with structure at every scale, as paintings have it."""
    rng = np.random.default_rng(seed)
    total = np.full((height, width, 3), 120, np.float32)
    for cells, weight in ((4, 60), (16, 35), (64, 20), (256, 12)):
        rows, columns = max(2, cells * height // width), cells
        small = Image.fromarray(rng.integers(0, 255, (rows, columns, 3), dtype=np.uint8))
        grown = small.resize((width, height), Image.Resampling.BICUBIC)
        total += (np.asarray(grown, np.float32) - 128) / 64 * weight
    return Image.fromarray(total.clip(0, 255).astype(np.uint8))


def expected(image: Image.Image, side: int = 336) -> Pixels:
    """Return what the original code makes of a picture: expand2square, then bicubic."""
    width, height = image.size
    edge = max(image.size)
    square = Image.new("RGB", (edge, edge), (122, 116, 104))
    square.paste(image.convert("RGB"), ((edge - width) // 2, (edge - height) // 2))
    return np.asarray(square.resize((side, side), Image.Resampling.BICUBIC))


def distance(ours: Pixels, theirs: Pixels) -> tuple[float, int]:
    """Return the mean and the largest difference, in levels of 255."""
    difference = np.abs(ours.astype(int) - theirs.astype(int))
    return float(difference.mean()), int(difference.max())


def png_header(path: Path, width: int, height: int) -> Path:
    """Write a PNG that claims a size and holds next to nothing."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return _png(path, header, zlib.compress(bytes(100)))


def png_bomb(path: Path, side: int, *, interlaced: bool = False) -> Path:
    """Write a few kilobytes that decode to ``side`` x ``side`` black RGB pixels.

    Interlaced, they take memory for all of them: the last rows come with the first.
    """
    packer = zlib.compressobj(9)
    passes = _ADAM7 if interlaced else ((0, 0, 1, 1),)
    body = b"".join(
        packer.compress(bytes(1 + 3 * -(-(side - left) // across)))
        for left, top, across, down in passes
        for _ in range(top, side, down)
    )
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, interlaced)
    return _png(path, header, body + packer.flush())


def png16(path: Path, pixels: NDArray[np.uint16], **chunks: bytes) -> Path:
    """Write a PNG of 16 bits a sample; Pillow writes no such colours."""
    height, width, bands = pixels.shape
    rows = pixels.astype(">u2").reshape(height, -1).view(np.uint8)
    filtered = np.hstack([np.zeros((height, 1), np.uint8), rows])
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[bands]
    header = struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)
    return _png(path, header, zlib.compress(filtered.tobytes(), 1), **chunks)


def tiff_directories(path: Path, count: int) -> Path:
    """Write a TIFF of many empty pages; merely counting them takes minutes of processor time."""
    entries = [(256, 4, 100), (257, 4, 100), (258, 3, 8), (259, 3, 1), (262, 3, 1)]
    entries += [(273, 4, 8), (277, 3, 1), (278, 4, 100), (279, 4, 10000)]
    page = struct.pack("<H", len(entries))
    page += b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    size = len(page) + 4
    pages = (page + struct.pack("<I", 8 + (n + 1) * size) for n in range(count))
    path.write_bytes(b"II*\0" + struct.pack("<I", 8) + b"".join(pages) + bytes(10000))
    return path


def _png(path: Path, header: bytes, body: bytes, **chunks: bytes) -> Path:
    before = [(kind.encode(), content) for kind, content in chunks.items()]
    every = [(b"IHDR", header), *before, (b"IDAT", body), (b"IEND", b"")]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*one) for one in every))
    return path


def _chunk(kind: bytes, body: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + body))
    return struct.pack(">I", len(body)) + kind + body + checksum
