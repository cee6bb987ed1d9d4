"""Smaller pictures whose edges stay exactly where they were."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from PIL import Image
from PIL.ImageFile import ImageFile

_CLIP_MEAN = (122, 116, 104)
_ROWS = 64
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""By the values of the EXIF orientation."""
SIDEWAYS = frozenset({5, 6, 7, 8})


@dataclass(frozen=True, slots=True)
class Scaled:
    """A picture at a whole fraction of its size.

    Its exact size need not be whole: 1000 pixels at a third are 333.33, though the image has a
    334th column. Rounding moves a picture by up to half a pixel of the model's 336, which costs
    3.6 grey levels on average.
    """

    image: Image.Image
    original: tuple[int, int]
    """Width and height before anything was made smaller."""
    factor: int
    shift: float = 0
    """How far the middle of a pixel lies left of and above the middle of what it stands for, in
    pixels of the original."""

    @property
    def size(self) -> tuple[float, float]:
        """The exact width and height."""
        return self.original[0] / self.factor, self.original[1] / self.factor


def draft(image: ImageFile, at_least: int) -> int:
    """Let a JPEG decode at 1/2, 1/4 or 1/8 where that leaves enough; return 2, 4 or 8, else 1."""
    width = image.width
    ratio = min(1.0, at_least / max(image.size))
    wanted = max(1, int(width * ratio)), max(1, int(image.height * ratio))
    drafted = image.draft(None, wanted)
    return 1 if drafted is None else round(width / drafted[1][2])


def shrink(scaled: Scaled, at_least: int) -> Scaled:
    """Return the picture averaged over whole blocks of pixels, its longer side not below this."""
    times = int(max(scaled.size) // at_least)
    if times <= 1:
        return scaled
    smaller = scaled.image.reduce(times)
    return replace(scaled, image=smaller, factor=scaled.factor * times)


def fit(scaled: Scaled, side: int) -> Image.Image:
    """Return the picture with its longer side cut down to this; it never grows."""
    width, height = scaled.size
    ratio = min(1.0, side / max(width, height))
    size = max(1, round(width * ratio)), max(1, round(height * ratio))
    if size == scaled.image.size:
        return scaled.image
    return scaled.image.resize(size, Image.Resampling.BICUBIC, box=(0, 0, width, height))


def square(scaled: Scaled, side: int) -> Image.Image:
    """Return an RGB picture padded to a square with CLIP's mean colour, then resampled.

    Padding comes first, as in GalleryGPT's ``expand2square``. ``box`` tells the resampling
    where that square begins and ends between the pixels. Pillow resamples each row by itself
    before the columns, so that the square need never be there as a whole.
    """
    edge = max(scaled.original)
    left, top = (
        ((edge - length) // 2 - scaled.shift) / scaled.factor for length in scaled.original
    )
    column, row = math.ceil(left), math.ceil(top)
    right, bottom = (start + edge / scaled.factor for start in (column - left, row - top))
    narrow = Image.new("RGB", (side, math.ceil(bottom)), _CLIP_MEAN)
    for first, rows in _padded(scaled, column, math.ceil(right)):
        box = (column - left, 0, right, rows.height)
        part = rows.resize((side, rows.height), Image.Resampling.BICUBIC, box=box)
        narrow.paste(part, (0, row + first))
    return narrow.resize((side, side), Image.Resampling.BICUBIC, box=(0, row - top, side, bottom))


def _padded(scaled: Scaled, column: int, width: int) -> Iterator[tuple[int, Image.Image]]:
    """Yield the picture from its top in strips of this width, each with its first row."""
    picture, cover = scaled.image, _cover(scaled)
    for first in range(0, picture.height, _ROWS):
        box = (0, first, picture.width, min(first + _ROWS, picture.height))
        rows = picture.crop(box)
        if cover is not None or width != picture.width:
            canvas = Image.new("RGB", (width, rows.height), _CLIP_MEAN)
            canvas.paste(rows, (column, 0), None if cover is None else cover.crop(box))
            rows = canvas
        yield first, rows


def _cover(scaled: Scaled) -> Image.Image | None:
    """Return how much of each pixel is picture, where padding begins within one."""
    columns, rows = scaled.image.size
    cover = None
    for axis, last in ((0, (columns - 1, 0, columns, rows)), (1, (0, rows - 1, columns, rows))):
        part = scaled.size[axis] % 1
        if part and scaled.original[axis] < max(scaled.original):
            cover = cover or Image.new("L", scaled.image.size, 255)
            cover.paste(round(255 * part), last)
    return cover


def upright(image: Image.Image, orientation: int) -> Image.Image:
    """Return the picture as its EXIF orientation wants it seen."""
    turn = _TURNS.get(orientation)
    return image if turn is None else image.transpose(turn)
