"""Whatever the pixels of the original mean: the same colours in 8-bit sRGB."""

from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms
from PIL.ImageFile import ImageFile

from predella.errors import RefusedImageError

_WHITE_IS_ZERO = 0
_BITS_PER_SAMPLE, _PHOTOMETRIC = 258, 262
_STRIP = 512
_SPACES = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK"}
_PLAIN = frozenset(_SPACES)
_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
_LAB = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
"""CIELAB under D50, as TIFF means it."""


def eight_bit(image: ImageFile) -> Image.Image:
    """Return the picture as L, RGB, CMYK, or RGBa (transparency multiplied in, so that it scales).

    Raises:
        RefusedImageError: the pixels have no agreed meaning as colours.
    """
    if image.mode.startswith("I;16"):
        return _scaled(image)
    if image.has_transparency_data:
        return image.convert("RGBA").convert("RGBa")
    if image.mode in _PLAIN:
        return image
    if image.mode == "LAB":
        return _transform(_LAB, "LAB").apply(image)
    if image.mode == "1":
        return image.convert("L")
    if image.mode in {"P", "RGBX", "YCbCr"}:
        return image.convert("RGB")
    sentence = (
        f"The pixels are of a kind ({image.mode}) whose colours are not agreed upon."
        " Export the picture as 8 or 16 bit grey, RGB or CMYK."
    )
    raise RefusedImageError("unsupported_pixels", sentence)


def eight_of_sixteen(values: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Return the values divided by 257 and rounded, without a wider type or a division."""
    return ((values - (values >> 8) + 128) >> 8).astype(np.uint8)


def _scaled(image: ImageFile) -> Image.Image:
    """Return 12 or 16 bits as 8; Pillow's own conversion clips them to white."""
    tags = getattr(image, "tag_v2", {})
    missing = 16 - max(tags.get(_BITS_PER_SAMPLE, (16,)))
    negative = tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO
    grey = Image.new("L", image.size)
    for top in range(0, image.height, _STRIP):
        box = (0, top, image.width, min(top + _STRIP, image.height))
        strip = eight_of_sixteen(np.asarray(image.crop(box)) << missing)
        grey.paste(Image.fromarray(255 - strip if negative else strip), box[:2])
    return grey


@dataclass(frozen=True, slots=True)
class ToSrgb:
    """The way from the colours of one original to sRGB."""

    transform: ImageCms.ImageCmsTransform | None
    profile: str
    """``none``, ``converted: <its name>`` or ``ignored: <why>``."""

    def __call__(self, image: Image.Image) -> Image.Image:
        """Return the picture in RGB, transparency laid on white."""
        if image.mode == "RGBa":
            image = _on_white(image)
        if self.transform is None:
            return image if image.mode == "RGB" else image.convert("RGB")
        converted = self.transform.apply(image)
        converted.info.clear()
        return converted


def to_srgb(mode: str, icc_profile: Any) -> ToSrgb:
    """Return the way to sRGB for pictures of this mode with this embedded profile, if any.

    A profile that is broken or made for another kind of pixels is ignored, as browsers do.
    """
    if not isinstance(icc_profile, bytes) or not icc_profile:
        return ToSrgb(None, "none")
    mode = "RGB" if mode == "RGBa" else mode
    try:
        profile = ImageCms.ImageCmsProfile(BytesIO(icc_profile))
        space = profile.profile.xcolor_space.strip()
        if space != _SPACES[mode]:
            return ToSrgb(None, f"ignored: made for {space}")
        name = ImageCms.getProfileDescription(profile).strip()
        return ToSrgb(_transform(profile, mode), f"converted: {name[:80]}")
    except (ImageCms.PyCMSError, OSError):
        return ToSrgb(None, "ignored: broken")


def _transform(profile: ImageCms.ImageCmsProfile, mode: str) -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(
        profile,
        _SRGB,
        mode,
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )


def _on_white(image: Image.Image) -> Image.Image:
    white = Image.new("RGBA", image.size, "white")
    white.alpha_composite(image.convert("RGBA"))
    return white.convert("RGB")
