"""Both prepared forms of one opened picture; runs inside the sandbox."""

from dataclasses import replace
from io import BytesIO

import PIL
from PIL import Image
from PIL.ImageFile import ImageFile

from worker.images import colour, decoding, facts, geometry, opening
from worker.images.prepared import MODEL_SIDE, REVIEW_SIDE, Prepared

_BITS_PER_SAMPLE = 258
_LEAST = 2048
"""Pixels that must be left of the longer side where a picture is decoded at a fraction of it."""


def make(image: ImageFile, *, exact: bool = False) -> Prepared:
    """Return the two pictures that the rest of predella works with.

    ``exact`` decodes, converts and resamples all pixels, as the original does: for comparisons.

    Raises:
        RefusedImageError: the pixels cannot be read, or mean nothing as colours.
    """
    kind: dict[str, object] = {"mode": image.mode, "bit_depth": _bit_depth(image)}
    orientation = opening.orientation(image)
    whole, turn = decoding.decoded(image, max(image.size) if exact else _LEAST)
    srgb = colour.to_srgb(whole.image.mode, image.info.get("icc_profile"))
    seen = replace(whole, image=srgb(whole.image))
    width, height = _turned(whole.original, turn)
    return Prepared(
        model_png=_png(geometry.upright(geometry.square(seen, MODEL_SIDE), turn)),
        review_jpeg=_jpeg(geometry.upright(geometry.fit(seen, REVIEW_SIDE), turn)),
        format=str(image.format),
        width=width,
        height=height,
        facts={
            **kind,
            "orientation": orientation,
            "icc_profile": srgb.profile,
            "transparency": whole.image.mode == "RGBa",
            "pillow": PIL.__version__,
            **facts.measured(seen.image),
        },
    )


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


def _png(image: Image.Image) -> bytes:
    out = BytesIO()
    image.save(out, "PNG", compress_level=3)
    return out.getvalue()


def _jpeg(image: Image.Image) -> bytes:
    """Return a JPEG without metadata, colour at full resolution: reds are what smears first."""
    out = BytesIO()
    image.save(out, "JPEG", quality=90, subsampling=0, exif=b"", icc_profile=None, comment=b"")
    return out.getvalue()
