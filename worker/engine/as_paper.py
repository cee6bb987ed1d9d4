"""The picture exactly as GalleryGPT's own code prepared it, its defects included.

EXIF orientation, ICC profiles and transparency are ignored, 16 bits of grey are clipped to
white, a thumbnail is taken for a painting. For comparisons with published numbers.
"""

from io import BytesIO
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from predella.errors import RefusedImageError
from worker.images.prepared import MODEL_SIDE

PREPROCESSING = "as-paper-square336-1"
_FORMATS = ("BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")
_MEAN = (122, 116, 104)
_LARGEST_MISREAD = 3


def picture(path: Path) -> bytes:
    """Return a 336 x 336 PNG whose pixels are those of ``expand2square`` and CLIP's resampling.

    Raises:
        RefusedImageError: it cannot be read, or the original crashes on it or misreads it.
    """
    try:
        with Image.open(path, formats=_FORMATS) as image:
            rgb = image.convert("RGB")
    except UnidentifiedImageError as error:
        raise RefusedImageError("unsupported_format", f"{path}: not a picture we read.") from error
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise RefusedImageError("undecodable", f"{path}: cannot be decoded ({error}).") from error
    if max(rgb.size) <= _LARGEST_MISREAD:
        sentence = f"{path}: the original cannot read so small a picture either."
        raise RefusedImageError("too_small", sentence)
    return _png(_square(rgb).resize((MODEL_SIDE, MODEL_SIDE), Image.Resampling.BICUBIC))


def _square(image: Image.Image) -> Image.Image:
    """Pad with the mean colour, the odd pixel to the right or below."""
    edge = max(image.size)
    canvas = Image.new("RGB", (edge, edge), _MEAN)
    canvas.paste(image, ((edge - image.width) // 2, (edge - image.height) // 2))
    return canvas


def _png(image: Image.Image) -> bytes:
    out = BytesIO()
    image.save(out, "PNG", compress_level=1)
    return out.getvalue()
