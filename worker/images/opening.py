"""From the bytes of a file to a picture whose header is acceptable, and then to its pixels."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError
from PIL.ImageFile import ImageFile

from predella.errors import RefusedImageError
from worker.images.prepared import MIN_SIDE, Limits

_ORIENTATION = 274
_FORMATS = ("JPEG", "PNG", "TIFF", "WEBP")
_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"RIFF")


def opened(file: BinaryIO, limits: Limits) -> ImageFile:
    """Return the picture with its header read and found acceptable, its pixels not yet decoded.

    Raises:
        RefusedImageError: it is none that we read, or larger or smaller than we take.
    """
    _check_bytes(os.fstat(file.fileno()).st_size, limits)
    Image.MAX_IMAGE_PIXELS = None  # our own limit, below, is the one that counts
    known = file.read(4).startswith(_SIGNATURES)
    file.seek(0)
    with _blaming_the_file():
        try:
            image = Image.open(file, formats=_FORMATS)
        except UnidentifiedImageError as error:
            if known:
                raise
            sentence = "This is not a JPEG, PNG, TIFF or WebP file, whatever its name says."
            raise RefusedImageError("unsupported_format", sentence) from error
    _check_size(image.width, image.height, limits)
    return image


def decode(image: ImageFile) -> None:
    """Read the pixels of the first frame; never ask for the number of frames.

    Counting the frames of a file with 100,000 directories takes more than a minute.

    Raises:
        RefusedImageError: the file is damaged.
    """
    with _blaming_the_file():
        image.load()


def orientation(image: ImageFile) -> int:
    """Return the EXIF orientation, 1 to 8; 1 where there is none or it cannot be read."""
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # noqa: BLE001  (metadata may be damaged in any way; the picture is not)
        return 1
    return value if value in range(1, 9) else 1


@contextmanager
def _blaming_the_file() -> Iterator[None]:
    """Turn whatever a decoder raises on damaged bytes into a refusal in words."""
    try:
        yield
    except (MemoryError, RefusedImageError):
        raise
    except Exception as error:
        words = " ".join(str(error).split())[:120]
        if "truncated" in words or isinstance(error, EOFError):
            sentence = "The file ends too early: it was not copied whole. Copy it again."
            raise RefusedImageError("truncated", sentence) from error
        sentence = f"The file is damaged and cannot be decoded ({words}). Export it again."
        raise RefusedImageError("undecodable", sentence) from error


def _check_bytes(size: int, limits: Limits) -> None:
    if size == 0:
        raise RefusedImageError("empty", "The file is empty. Copy it again.")
    if size > limits.max_bytes:
        sentence = (
            f"The file has {size:,} bytes; at most {limits.max_bytes:,} are taken."
            " Hand in a smaller derivative."
        )
        raise RefusedImageError("too_many_bytes", sentence)


def _check_size(width: int, height: int, limits: Limits) -> None:
    if width * height > limits.max_pixels:
        sentence = (
            f"The picture has {width} x {height} pixels; at most {limits.max_pixels:,} are"
            " taken. Hand in a smaller derivative."
        )
        raise RefusedImageError("too_many_pixels", sentence)
    if min(width, height) < MIN_SIDE:
        sentence = (
            f"The picture has {width} x {height} pixels; it takes at least {MIN_SIDE} on each"
            " side to see anything. Was a thumbnail or a placeholder handed in?"
        )
        raise RefusedImageError("too_small", sentence)
