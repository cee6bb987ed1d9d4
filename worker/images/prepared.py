"""What the preparation of a picture gives, and within which limits."""

import hashlib
from dataclasses import dataclass

PREPROCESSING = "srgb-white-square336-2"
"""Version of everything here that can change a pixel; it is part of a release and of keys.

Frame 0, upright, ICC profile converted to sRGB (relative colorimetric, black point
compensation), 16 bits scaled to 8, transparency laid on white. For the model: padded to a
square with the mean colour of CLIP (122, 116, 104), then resampled with Pillow's bicubic filter
to 336 pixels. That is what GalleryGPT was trained on, but for orientation, colour and
transparency, which it ignores. A large picture is decoded at a fraction of its size, which
changes the result by 0.3 levels of 255 on average, at most.
"""
EXACT_PREPROCESSING = "srgb-white-square336-exact-1"
"""The same from all pixels of the original: colours are converted, then nothing but resampled."""
MODEL_SIDE = 336
REVIEW_SIDE = 3072
"""Longest side of the review image. A smaller picture keeps its size; a larger one may be decoded
at a fraction of it, and then has at least 2048."""
ZOOM_SIDE = 12_000
"""Longest side of what the zoom is cut from; that is a square metre at 300 pixels an inch."""


def preprocessing(*, exact: bool) -> str:
    """Return the version of one of the two ways to prepare a picture."""
    return EXACT_PREPROCESSING if exact else PREPROCESSING


@dataclass(frozen=True, slots=True)
class Limits:
    """What one picture may cost; a legitimate 600 megapixel scan stays within them."""

    max_bytes: int = 2_000_000_000
    max_pixels: int = 600_000_000
    base_memory: int = 1 << 30
    """Bytes of address space, beside ``bytes_per_pixel`` for every pixel of the original."""
    bytes_per_pixel: int = 8
    cpu_seconds: int = 60
    wall_seconds: float = 120

    def memory(self, width: int, height: int, *, whole: bool) -> int:
        """Return the bytes that a picture of this size may take; whole, it is there four times."""
        return self.base_memory + self.bytes_per_pixel * width * height * (4 if whole else 1)


@dataclass(frozen=True, slots=True)
class Prepared:
    """One picture, made ready."""

    model_png: bytes
    """336 x 336 pixels, RGB, lossless."""
    review_jpeg: bytes
    """What curators look at: sRGB, without metadata."""
    format: str
    """Of the original: JPEG, JPEG2000, MPO, PNG, TIFF or WEBP."""
    width: int
    """Pixels of the original, upright."""
    height: int
    facts: dict[str, object]
    """What was measured from the pixels, and what was changed on the way; JSON values."""

    @property
    def model_sha256(self) -> bytes:
        """The digest of the very bytes that the model is given."""
        return hashlib.sha256(self.model_png).digest()
