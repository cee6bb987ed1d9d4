"""Both prepared forms of one opened picture; runs inside the sandbox."""

from io import BytesIO

import PIL
from PIL import Image
from PIL.ImageFile import ImageFile

from worker.images import colour, facts, geometry, opening
from worker.images.geometry import Scaled
from worker.images.prepared import MODEL_SIDE, REVIEW_SIDE, Prepared

_BITS_PER_SAMPLE = 258
_GAP = 3
"""A large picture is resampled for the model from three times its size: 0.15 levels from exact."""
_EXACT_SIDE = 4096
"""Up to here it is resampled from all its pixels, as in the original: a fraction of a second."""


def make(image: ImageFile) -> Prepared:
    """Return the two pictures that the rest of predella works with.

    Raises:
        RefusedImageError: the pixels cannot be read, or mean nothing as colours.
    """
    kind: dict[str, object] = {"mode": image.mode, "bit_depth": _bit_depth(image)}
    original, turn, orientation = _decoded(image)
    whole = geometry.shrink(original, REVIEW_SIDE)
    srgb = colour.to_srgb(whole.image.mode, image.info.get("icc_profile"))
    seen = _through(srgb, _for_the_model(original, whole))
    width, height = _turned(original.original, turn)
    return Prepared(
        model_png=_png(geometry.upright(geometry.square(seen, MODEL_SIDE), turn)),
        review_jpeg=_jpeg(geometry.upright(srgb(geometry.fit(whole, REVIEW_SIDE)), turn)),
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


def _for_the_model(original: Scaled, whole: Scaled) -> Scaled:
    if max(original.original) <= _EXACT_SIDE:
        return original
    return geometry.shrink(whole, _GAP * MODEL_SIDE)


def _decoded(image: ImageFile) -> tuple[Scaled, int, int]:
    """Return the pixels, the turn that they still need, and the turn that the file asked for.

    Pillow turns a TIFF by itself while it decodes. The metadata of a PNG may follow its pixels.
    """
    if image.format == "TIFF":
        orientation = opening.orientation(image)
        opening.decode(image)
        return Scaled(colour.eight_bit(image), image.size, 1), 1, orientation
    size = image.size
    factor = geometry.draft(image, REVIEW_SIDE)
    opening.decode(image)
    orientation = opening.orientation(image)
    return Scaled(colour.eight_bit(image), size, factor), orientation, orientation


def _through(srgb: colour.ToSrgb, scaled: Scaled) -> Scaled:
    return Scaled(srgb(scaled.image), scaled.original, scaled.factor)


def _turned(size: tuple[int, int], turn: int) -> tuple[int, int]:
    return (size[1], size[0]) if turn in geometry.SIDEWAYS else size


def _bit_depth(image: ImageFile) -> int:
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
