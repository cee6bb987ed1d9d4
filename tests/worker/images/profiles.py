"""ICC profiles made for tests: one that exchanges colours, and one for inks."""

import itertools
import struct
from collections.abc import Callable

from PIL import ImageCms


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


def inks() -> bytes:
    """Return a CMYK profile whose inks are far from Pillow's: a table of its 16 corners in Lab."""
    corners = b"".join(_lab(*corner) for corner in itertools.product((0, 1), repeat=4))
    ramp = bytes(range(256))
    matrix = struct.pack(">9i", *(65536 if n % 4 == 0 else 0 for n in range(9)))
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + matrix + ramp * 4 + corners + ramp * 3
    white = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)
    text = b"inks\0"
    name = b"desc" + bytes(4) + struct.pack(">I", len(text)) + text + bytes(78)
    tags = {b"A2B0": table, b"wtpt": white, b"desc": name, b"cprt": b"text" + bytes(4) + text}
    return _icc(tags)


def _lab(cyan: int, magenta: int, yellow: int, black: int) -> bytes:
    light = (255 - 40 * (cyan + magenta + yellow)) * (1 - black) + 20 * black
    left = 1 - black
    return bytes(
        [light, 128 + left * (60 * magenta - 50 * cyan), 128 + left * (70 * yellow - 40 * cyan)]
    )


def _icc(tags: dict[bytes, bytes]) -> bytes:
    table, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        table += name + struct.pack(">II", start + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    size = struct.pack(">I", 128 + len(table) + len(body))
    head = size + bytes(4) + bytes([2, 0x20, 0, 0]) + b"prtrCMYKLab " + bytes(12) + b"acsp"
    head += bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + table + body
