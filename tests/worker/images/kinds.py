"""Every kind of file that museums hand in, each with the picture that it holds, exactly."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms
from PIL.ImageFile import ImageFile

from tests.worker.images import tiffs
from tests.worker.images.files import png16
from tests.worker.images.profiles import inks, profile, swap_red_and_blue
from tests.worker.images.tiffs import tiff

Write = Callable[[Path, Image.Image], Image.Image]
"""Writes a picture to a file; returns its colours as they are meant, all pixels, in sRGB."""

_SRGB = ImageCms.createProfile("sRGB")
SWAPPED = profile(swap_red_and_blue)


def in_srgb(file: ImageFile) -> Image.Image:
    """Return the picture decoded whole, its colours converted at full size."""
    if file.has_transparency_data:
        image = Image.new("RGBA", file.size, "white")
        image.alpha_composite(file.convert("RGBA"))
    else:
        image = file.convert("RGB") if file.mode in {"1", "P"} else file.copy()
    if file.mode == "LAB":
        return converted(image, ImageCms.createProfile("LAB"))
    icc = file.info.get("icc_profile")
    image = image.convert("RGB") if image.mode == "RGBA" else image
    return image.convert("RGB") if icc is None else converted(image, BytesIO(icc))


def converted(image: Image.Image, source: Any) -> Image.Image:
    """Return the picture in sRGB: relative colorimetric, with black point compensation."""
    return (
        ImageCms.profileToProfile(
            image,
            source,
            _SRGB,
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        or image
    )


def _saved(mode: str = "RGB", **options: Any) -> Write:
    def write(path: Path, picture: Image.Image) -> Image.Image:
        _in_mode(picture, mode).save(path, **options)
        with Image.open(path) as file:
            return in_srgb(file)

    return write


def _in_mode(picture: Image.Image, mode: str) -> Image.Image:
    if mode in {"LA", "RGBA"}:
        cut = picture.convert(mode)
        cut.putalpha(picture.getchannel("G").point(lambda level: min(255, 2 * level)))
        return cut
    if mode == "LAB":
        return (
            ImageCms.profileToProfile(
                picture, _SRGB, ImageCms.createProfile("LAB"), outputMode="LAB"
            )
            or picture
        )
    return picture.quantize(64) if mode == "P" else picture.convert(mode)


def _transparent_palette(path: Path, picture: Image.Image) -> Image.Image:
    picture.quantize(64).save(path, transparency=7)
    with Image.open(path) as file:
        return in_srgb(file)


def deep(picture: Image.Image) -> NDArray[np.uint16]:
    """Return 16 bits a sample, whose lower 8 are not the upper 8 again."""
    values = np.asarray(picture).astype(np.int32) * 257
    noise = np.random.default_rng(0).integers(-128, 128, values.shape)
    whole: NDArray[np.uint16] = np.clip(values + noise, 0, 65535).astype(np.uint16)
    return np.atleast_3d(whole)


def shallow(values: NDArray[np.uint16]) -> Image.Image:
    """Return the same in 8 bits, rounded to the nearest, transparency laid on white."""
    levels = np.rint(values / 257).astype(np.uint8)
    image = Image.fromarray(levels if levels.shape[2] > 1 else levels[..., 0])
    white = Image.new("RGBA", image.size, "white")
    white.alpha_composite(image.convert("RGBA"))
    return white.convert("RGB")


def _deep_tiff(mode: str, photometric: int, **options: Any) -> Write:
    def write(path: Path, picture: Image.Image) -> Image.Image:
        values = deep(_in_mode(picture, mode))
        tiff(path, values, photometric, **options)
        if "icc_profile" in options:
            return converted(shallow(values), BytesIO(options["icc_profile"]))
        return shallow(values)

    return write


def _deep_png(mode: str) -> Write:
    def write(path: Path, picture: Image.Image) -> Image.Image:
        values = deep(_in_mode(picture, mode))
        png16(path, values)
        return shallow(values)

    return write


def _deep_ink(path: Path, picture: Image.Image) -> Image.Image:
    values = deep(picture.convert("CMYK"))
    tiff(path, values, tiffs.CMYK)
    return Image.fromarray(np.rint(values / 257).astype(np.uint8), "CMYK").convert("RGB")


def _big(path: Path, picture: Image.Image) -> Image.Image:
    tiff(path, np.asarray(picture), tiffs.RGB, big=True)
    return picture


def _premultiplied(path: Path, picture: Image.Image) -> Image.Image:
    cut = _in_mode(picture, "RGBA")
    tiff(path, np.asarray(cut.convert("RGBa")), tiffs.RGB, extra=tiffs.ASSOCIATED)
    white = Image.new("RGBA", cut.size, "white")
    white.alpha_composite(cut.convert("RGBa").convert("RGBA"))
    return white.convert("RGB")


def _pages(path: Path, picture: Image.Image) -> Image.Image:
    other = Image.new("RGB", (100, 100), "red")
    picture.save(path, save_all=True, append_images=[other, other])
    return picture


KINDS: dict[str, Write] = {
    "baseline.jpg": _saved(quality=92),
    "progressive.jpg": _saved(quality=90, progressive=True, subsampling=0),
    "grey.jpg": _saved("L", quality=92),
    "profile.jpg": _saved(quality=92, icc_profile=SWAPPED),
    "ink.jpg": _saved("CMYK", quality=92),
    "ink-profile.jpg": _saved("CMYK", quality=92, icc_profile=inks()),
    "lossless.jp2": _saved(),
    "lossy.jp2": _saved(quality_mode="rates", quality_layers=[10], irreversible=True),
    "stream.j2k": _saved(irreversible=True),
    "cut.jp2": _saved("RGBA"),
    "plain.png": _saved(compress_level=1),
    "profile.png": _saved(compress_level=1, icc_profile=SWAPPED),
    "grey.png": _saved("L", compress_level=1),
    "palette.png": _saved("P", compress_level=1),
    "cut-palette.png": _transparent_palette,
    "bilevel.png": _saved("1", compress_level=1),
    "cut.png": _saved("RGBA", compress_level=1),
    "cut-grey.png": _saved("LA", compress_level=1),
    "deep.png": _deep_png("RGB"),
    "deep-grey.png": _deep_png("L"),
    "deep-cut.png": _deep_png("RGBA"),
    "deep-cut-grey.png": _deep_png("LA"),
    "plain.tif": _saved(),
    "lzw.tif": _saved(compression="tiff_lzw"),
    "deflate.tif": _saved(compression="tiff_adobe_deflate"),
    "zstd.tif": _saved(compression="zstd"),
    "jpeg.tif": _saved(compression="jpeg", quality=92),
    "fax.tif": _saved("1", compression="group4"),
    "grey.tif": _saved("L"),
    "palette.tif": _saved("P"),
    "cut.tif": _saved("RGBA"),
    "cut-grey.tif": _saved("LA"),
    "premultiplied.tif": _premultiplied,
    "ink.tif": _saved("CMYK", compression="tiff_lzw"),
    "ink-profile.tif": _saved("CMYK", compression="tiff_lzw", icc_profile=inks()),
    "lab.tif": _saved("LAB"),
    "pages.tif": _pages,
    "big.tif": _big,
    "deep.tif": _deep_tiff("RGB", tiffs.RGB),
    "deep-backwards.tif": _deep_tiff("RGB", tiffs.RGB, order=">"),
    "deep-big.tif": _deep_tiff("RGB", tiffs.RGB, big=True),
    "deep-profile.tif": _deep_tiff("RGB", tiffs.RGB, icc_profile=SWAPPED),
    "deep-grey.tif": _deep_tiff("L", tiffs.GREY),
    "deep-cut.tif": _deep_tiff("RGBA", tiffs.RGB, extra=tiffs.UNASSOCIATED),
    "deep-ink.tif": _deep_ink,
    "plain.webp": _saved(quality=90, method=0),
    "cut.webp": _saved("RGBA", quality=90, method=0),
}
