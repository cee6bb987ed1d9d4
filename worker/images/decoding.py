"""From an opened file to its pixels, at the smallest whole fraction of its size that will do."""

from PIL.ImageFile import ImageFile

from worker.images import colour, geometry, jpeg2000, opening, streaming
from worker.images.geometry import Scaled

_MORE = {"JPEG2000": 2, "1": 4}
"""What shrinks with larger errors, by leaving things out or with two levels only, and is therefore
left so much larger."""


def decoded(image: ImageFile, at_least: int) -> tuple[Scaled, int]:
    """Return the picture, its longer side not below this, and the turn that it still needs.

    Raises:
        RefusedImageError: the pixels cannot be read, or mean nothing as colours.
    """
    turn = opening.orientation(image)
    enough = at_least * _MORE.get(str(image.format), 1) * _MORE.get(image.mode, 1)
    if streaming.can_read(image):
        try:
            return streaming.read(image, enough), turn
        except streaming.UnreadableError:
            pass  # Pillow reads it, or says what is wrong with it
    scaled = geometry.shrink(_by_pillow(image, enough), enough)
    return scaled, 1 if image.format == "TIFF" else turn  # it has turned a TIFF by now


def _by_pillow(image: ImageFile, at_least: int) -> Scaled:
    size, shift = image.size, 0.0
    if image.format == "JPEG2000":
        factor = jpeg2000.draft(image, at_least)
        shift = (factor - 1) / 2
    else:
        factor = geometry.draft(image, at_least)
    opening.decode(image)
    return Scaled(colour.eight_bit(image), size, factor, shift)
