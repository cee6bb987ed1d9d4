"""Both prepared forms of one opened picture; runs inside the sandbox."""

from dataclasses import dataclass, replace
from io import BytesIO

import PIL
from PIL.ImageFile import ImageFile

from worker.images import colour, decoding, facts, geometry, opening
from worker.images.geometry import Scaled
from worker.images.prepared import MODEL_SIDE, REVIEW_SIDE, ZOOM_SIDE, Prepared

_BITS_PER_SAMPLE = 258
_LEAST = 2048
"""Pixels that must be left of the longer side where a picture is decoded at a fraction of it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The pixels of one original, as many as are needed, in sRGB."""

    picture: Scaled
    turn: int
    """What is still to be done about its EXIF orientation."""
    icc_profile: str
    transparency: bool


def make(image: ImageFile, *, exact: bool = False) -> Prepared:
    """Return the two pictures that the rest of predella works with.

    Raises:
        RefusedImageError: the pixels cannot be read, or mean nothing as colours.
    """
    kind: dict[str, object] = {"mode": image.mode, "bit_depth": _bit_depth(image)}
    orientation = opening.orientation(image)
    seen = see(image, exact=exact)
    width, height = _turned(seen.picture.original, seen.turn)
    return Prepared(
        model_png=model_png(seen),
        review_jpeg=review_jpeg(seen),
        format=str(image.format),
        width=width,
        height=height,
        facts={
            **kind,
            "orientation": orientation,
            "icc_profile": seen.icc_profile,
            "transparency": seen.transparency,
            "pillow": PIL.__version__,
            **facts.measured(seen.picture.image),
        },
    )


def see(image: ImageFile, *, exact: bool) -> Seen:
    """Return what both prepared forms are made of; where exactness is asked for, all pixels.

    Raises:
        RefusedImageError: the pixels cannot be read, or mean nothing as colours.
    """
    whole, turn = decoding.decoded(image, max(image.size) if exact else _LEAST)
    srgb = colour.to_srgb(whole.image.mode, image.info.get("icc_profile"))
    picture = replace(whole, image=srgb(whole.image))
    return Seen(picture, turn, srgb.profile, whole.image.mode == "RGBa")


def model_png(seen: Seen) -> bytes:
    """Return the square that LLaVA is shown."""
    out = BytesIO()
    square = geometry.upright(geometry.square(seen.picture, MODEL_SIDE), seen.turn)
    square.save(out, "PNG", compress_level=3)
    return out.getvalue()


def review_jpeg(seen: Seen) -> bytes:
    """Return what curators are shown, without metadata.

    Its colour has full resolution: reds are what smears first.
    """
    out = BytesIO()
    image = geometry.upright(geometry.fit(seen.picture, REVIEW_SIDE), seen.turn)
    image.save(out, "JPEG", quality=90, subsampling=0, exif=b"", icc_profile=None, comment=b"")
    return out.getvalue()


def zoom_jpeg(image: ImageFile) -> bytes:
    """Return all that can be seen of an original, for the zoom; no more than 12,000 pixels long.

    Raises:
        RefusedImageError: the pixels cannot be read, or mean nothing as colours.
    """
    out = BytesIO()
    seen = see(image, exact=True)
    picture = geometry.upright(geometry.fit(seen.picture, ZOOM_SIDE), seen.turn)
    picture.save(out, "JPEG", quality=88, exif=b"", icc_profile=None, comment=b"")
    return out.getvalue()


def _turned(size: tuple[int, int], turn: int) -> tuple[int, int]:
    return (size[1], size[0]) if turn in geometry.SIDEWAYS else size


def _bit_depth(image: ImageFile) -> int:
    if "bit_depth" in image.info:
        return int(image.info["bit_depth"])
    tags = getattr(image, "tag_v2", {})
    if _BITS_PER_SAMPLE in tags:
        return int(max(tags[_BITS_PER_SAMPLE]))
    if image.mode == "1":
        return 1
    sixteen = image.mode.startswith("I;16") or any(";16" in str(tile.args) for tile in image.tile)
    return 16 if sixteen else 8
