"""Originals to measure with: one large picture in every kind of file that museums keep."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageChops

_SCALES = (6, 24, 96, 384, 1536)
"""Patches of colour along the width, from composition to brush."""
_GRAIN = 1024
_SEED = 0


def picture(megapixels: float) -> Image.Image:
    """Return a picture in 5:4 with structure at every scale, and the grain of a canvas."""
    rng = np.random.default_rng(_SEED)
    width = round((megapixels * 1_250_000) ** 0.5)
    size = width, width * 4 // 5
    image = Image.new("RGB", size, (120, 110, 100))
    for patches in _SCALES:
        patch = rng.integers(0, 255, (patches * 4 // 5, patches, 3), dtype=np.uint8)
        layer = Image.fromarray(patch).resize(size, Image.Resampling.BICUBIC)
        image = Image.blend(image, layer, 0.4)
    return ImageChops.add(image, _grain(rng, size), offset=-128)


def _grain(rng: np.random.Generator, size: tuple[int, int]) -> Image.Image:
    tile = Image.fromarray(rng.normal(128, 4, (_GRAIN, _GRAIN)).round().astype(np.uint8))
    grain = Image.new("L", size)
    for left in range(0, size[0], _GRAIN):
        for top in range(0, size[1], _GRAIN):
            grain.paste(tile, (left, top))
    return Image.merge("RGB", (grain, grain, grain))


def _saved(mode: str = "RGB", **options: Any) -> Callable[[Image.Image, Path], None]:
    return lambda image, path: image.convert(mode).save(path, **options)


def _deep(image: Image.Image, path: Path) -> None:
    """Write 16 bits a sample, which Pillow does not."""
    import pyvips

    logging.getLogger("pyvips").setLevel(logging.WARNING)
    rows = pyvips.Image.new_from_memory(image.tobytes(), *image.size, 3, "uchar")
    (rows.cast("ushort") * 257).cast("ushort").copy(interpretation="rgb16").tiffsave(str(path))


KINDS: dict[str, tuple[str, Callable[[Image.Image, Path], None]]] = {
    "jpeg": (".jpg", _saved(quality=92)),
    "jpeg-progressive": (".jpg", _saved(quality=92, progressive=True)),
    "jpeg-cmyk": (".jpg", _saved("CMYK", quality=92)),
    "jp2": (
        ".jp2",
        _saved(irreversible=True, quality_mode="rates", quality_layers=[10]),
    ),
    "jp2-lossless": (".jp2", _saved()),
    "png": (".png", _saved(compress_level=4)),
    "tiff": (".tif", _saved()),
    "tiff-lzw": (".tif", _saved(compression="tiff_lzw")),
    "tiff-deflate": (".tif", _saved(compression="tiff_adobe_deflate")),
    "tiff-cmyk": (".tif", _saved("CMYK", compression="tiff_lzw")),
    "tiff-16-bit": (".tif", _deep),
    "webp": (".webp", _saved(quality=80, method=0)),
}
