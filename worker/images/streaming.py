"""PNG and TIFF through libvips, some rows at a time: the whole picture is never in memory.

Rows are asked for in this thread, and for that libvips starts none of its own: the sandbox forbids
new ones.
"""

import math
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyvips
from PIL import Image
from PIL.ImageFile import ImageFile

from worker.images import colour, opening, pages
from worker.images.geometry import Scaled

UnreadableError = pyvips.Error
"""libvips does not read this file; Pillow may."""

_LOADERS = {"PNG": "VipsForeignLoadPng", "TIFF": "VipsForeignLoadTiff"}
_PLAIN = {
    **{mode: mode for mode in ("L", "LA", "RGB", "RGBA", "CMYK")},
    **dict.fromkeys(("1", "I;16", "I;16B"), "L"),
}
"""What both libraries understand alike; not Lab, nor YCbCr that is not within a JPEG."""
_BY_BANDS = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
"""All that there is in a PNG, and all that a palette can become."""
_ROWS = 16

pyvips.operation_block_set("VipsForeignLoad", state=True)
for _loader in _LOADERS.values():
    pyvips.operation_block_set(_loader, state=False)
pyvips.cache_set_max(0)


def can_read(image: ImageFile) -> bool:
    """Say whether this file may be read here; of a TIFF, libvips counts the pages first."""
    if image.format not in _LOADERS or (image.mode not in _PLAIN and image.mode != "P"):
        return False
    if image.format == "PNG":
        return True
    with opening.elsewhere(image) as file:
        return pages.are_few(file)


def read(image: ImageFile, at_least: int) -> Scaled:
    """Return the picture averaged over whole blocks of pixels, its longer side not below this.

    Raises:
        UnreadableError: libvips does not read it, or sees another picture than Pillow.
    """
    descriptor = opening.file_of(image).fileno()
    before = os.lseek(descriptor, 0, os.SEEK_CUR)
    try:
        os.lseek(descriptor, 0, os.SEEK_SET)
        return _averaged(image, _opened(descriptor), at_least)
    finally:  # Pillow, which shares it, must find it as it left it
        os.lseek(descriptor, before, os.SEEK_SET)


def _opened(descriptor: int) -> Any:
    source = pyvips.Source.new_from_descriptor(descriptor)
    return pyvips.Image.new_from_source(source, "", access="sequential", fail_on="error")


def _averaged(image: ImageFile, rows: Any, at_least: int) -> Scaled:
    size = rows.width, rows.height
    if size != opening.stored_size(image):
        raise UnreadableError("it has another size than Pillow says")
    times = max(1, max(size) // at_least)
    mode = _mode(image, rows.bands)
    small = Image.new(
        "RGBa" if mode in {"LA", "RGBA"} else mode,
        (math.ceil(size[0] / times), math.ceil(size[1] / times)),
    )
    for top, strip in _strips(rows, mode, times * math.ceil(_ROWS / times)):
        part = strip.convert("RGBA").convert("RGBa") if small.mode == "RGBa" else strip
        small.paste(part.reduce(times), (0, top // times))
    return Scaled(small, size, times)


def _mode(image: ImageFile, bands: int) -> str:
    if image.format == "PNG" or image.mode == "P":
        return _BY_BANDS[bands]
    return _PLAIN[image.mode]


def _strips(rows: Any, mode: str, step: int) -> Iterator[tuple[int, Image.Image]]:
    """Yield the picture from its top, so many rows at a time, each strip with its first row."""
    bands = Image.getmodebands(mode)
    known = rows if rows.bands == bands else rows.extract_band(0, n=bands)
    region = pyvips.Region.new(known)
    for top in range(0, rows.height, step):
        height = min(step, rows.height - top)
        values = _eight_bit(region.fetch(0, top, rows.width, height), rows.format)
        yield top, Image.frombuffer(mode, (rows.width, height), values)


def _eight_bit(buffer: Any, kind: str) -> Any:
    if kind == "uchar":
        return buffer
    if kind == "ushort":
        return colour.eight_of_sixteen(np.frombuffer(buffer, np.uint16))
    raise UnreadableError(f"its samples are {kind}")
