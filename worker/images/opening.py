"""From the bytes of a file to a picture whose header is acceptable, and then to its pixels."""

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, BinaryIO

from PIL import Image, UnidentifiedImageError
from PIL.ImageFile import ImageFile

from predella.errors import RefusedImageError
from predella.formats.headers.limits import require_bytes, require_size
from worker.images import jpeg2000
from worker.images.prepared import Limits

_ORIENTATION, _WIDTH, _HEIGHT = 274, 256, 257
_FORMATS = ("JPEG", "JPEG2000", "PNG", "TIFF", "WEBP")
_SIGNATURES = (
    *(b"\xff\xd8\xff", b"\x89PNG", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"RIFF"),
    *(b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51"),
)
_PNG_SIGNATURE, _CHECKSUM = 8, 4
_CHUNK = struct.Struct(">I4s")
_LONGEST_SIGNATURE = max(map(len, _SIGNATURES))


def opened(file: BinaryIO, limits: Limits) -> ImageFile:
    """Return the picture with its header read and found acceptable, its pixels not yet decoded.

    Raises:
        RefusedImageError: it is none that we read, or larger or smaller than we take.
    """
    require_bytes(os.fstat(file.fileno()).st_size, max_bytes=limits.max_bytes)
    Image.MAX_IMAGE_PIXELS = None  # our own limit, below, is the one that counts
    known = file.read(_LONGEST_SIGNATURE).startswith(_SIGNATURES)
    file.seek(0)
    with _blaming_the_file():
        try:
            image = Image.open(file, formats=_FORMATS)
        except UnidentifiedImageError as error:
            raise _unidentified(known=known) from error
    require_size(image.width, image.height, max_pixels=limits.max_pixels)
    if image.format == "JPEG2000":
        image.info.update(jpeg2000.info(file))
    return image


def decode(image: ImageFile) -> None:
    """Read all pixels of the first frame; never ask for the number of frames.

    Counting the frames of a file with 100,000 directories takes more than a minute.

    Raises:
        RefusedImageError: the file is damaged.
    """
    with _blaming_the_file():
        image.load()


def _unidentified(*, known: bool) -> RefusedImageError:
    if known:
        sentence = (
            "The file is damaged, or its pixels are of a kind that is not read."
            " Export it again, as 8 or 16 bit grey, RGB or CMYK."
        )
        return RefusedImageError("undecodable", sentence)
    sentence = "This is not a JPEG, JPEG 2000, PNG, TIFF or WebP file, whatever its name says."
    return RefusedImageError("unsupported_format", sentence)


def file_of(image: ImageFile) -> IO[bytes]:
    """Return the file of a picture that is not yet decoded."""
    if image.fp is None:
        raise ValueError("it is decoded already")
    return image.fp


@contextmanager
def elsewhere(image: ImageFile) -> Iterator[IO[bytes]]:
    """Lend the file of the picture; Pillow finds it where it left it."""
    file = file_of(image)
    before = file.tell()
    try:
        yield file
    finally:
        file.seek(before)


def stored_size(image: ImageFile) -> tuple[int, int]:
    """Return width and height as they lie in the file; Pillow exchanges those of a turned TIFF."""
    tags = getattr(image, "tag_v2", None)
    return image.size if tags is None else (tags[_WIDTH], tags[_HEIGHT])


def orientation(image: ImageFile) -> int:
    """Return the EXIF orientation, 1 to 8; 1 where there is none or it cannot be read."""
    try:
        if image.format == "PNG" and (late := _exif(image)):
            image.info["exif"] = late
        # Not the method of PNG, which decodes the pixels first.
        value = Image.Image.getexif(image).get(_ORIENTATION, 1)
    except Exception:  # noqa: BLE001  (metadata may be damaged in any way; the picture is not)
        return 1
    return value if value in range(1, 9) else 1


def _exif(image: ImageFile) -> bytes:
    """Return the metadata of a PNG, which may follow the pixels."""
    with elsewhere(image) as file:
        place = file.seek(_PNG_SIGNATURE)
        while len(head := file.read(_CHUNK.size)) == _CHUNK.size:
            length, kind = _CHUNK.unpack(head)
            if kind == b"eXIf":
                return file.read(length)
            place = file.seek(place + _CHUNK.size + length + _CHECKSUM)
    return b""


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
