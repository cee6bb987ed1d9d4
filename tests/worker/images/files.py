"""Files as museums hand them in, and the picture that all of them show."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

Pixels = NDArray[np.uint8]


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


def profile(change: Callable[[bytearray], None] | None = None) -> bytes:
    """Return an sRGB profile, or a changed one."""
    content = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    if change is not None:
        change(content)
    return bytes(content)


def swap_red_and_blue(content: bytearray) -> None:
    """Exchange two names in the table of an ICC profile: its red primary becomes its blue one."""
    red, blue = content.index(b"rXYZ"), content.index(b"bXYZ")
    content[red : red + 4], content[blue : blue + 4] = b"bXYZ", b"rXYZ"


def png_header(path: Path, width: int, height: int) -> Path:
    """Write a PNG that claims a size and holds next to nothing."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(100))), (b"IEND", b"")]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*one) for one in chunks))
    return path


def png_bomb(path: Path, side: int) -> Path:
    """Write a few kilobytes that decode to ``side`` x ``side`` black RGB pixels."""
    packer = zlib.compressobj(9)
    row = bytes(1 + 3 * side)
    body = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", body), (b"IEND", b"")]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*one) for one in chunks))
    return path


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


def _chunk(kind: bytes, body: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + body))
    return struct.pack(">I", len(body)) + kind + body + checksum
