"""What a picture's first bytes tell, before anything of it is decoded.

Only what is certain is held against a file: whether its pixels can be decoded is found out when
they are. Everything here is fed with strangers' bytes, and runs in a confined process.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from predella.errors import RefusedImageError
from predella.formats.headers import (
    datasets,
    jpeg,
    jpeg2000,
    packets,
    png,
    tiff,
    webp,
)
from predella.formats.headers.fields import Field
from predella.formats.headers.pieces import EndError, MoreError, Pieces, TooLongError
from predella.formats.headers.walking import Block, Form, Size, Walk

__all__ = ["Field", "Header", "Pieces", "read"]

_WALKS: dict[bytes, Callable[[Pieces], Walk]] = {
    b"\xff\xd8\xff": jpeg.walk,
    b"\x89PNG\r\n\x1a\n": png.walk,
    b"II*\0": tiff.walk,
    b"MM\0*": tiff.walk,
    b"II+\0": tiff.walk,
    b"MM\0+": tiff.walk,
    b"RIFF": webp.walk,
    b"\0\0\0\x0cjP  \r\n\x87\n": jpeg2000.walk,
    b"\xff\x4f\xff\x51": jpeg2000.walk,
}
"""By what a file begins with."""
_LONGEST = 12
_WEBP = b"WEBP"
MAX_NUMBERS = 100
"""Objects in one picture."""


@dataclass
class Header:
    """What is known of a picture."""

    size: Size | None = None
    """Width and height as they lie in the file; None where nothing tells."""
    values: list[str] = field(default_factory=list)
    """Of the field that was asked for, each once, in their order."""
    more: tuple[int, int] | None = None
    """The piece (its start, its length) that would tell the rest."""


def read(file: Pieces, wanted: Field | None) -> Header:
    """Return what the pieces that are here tell of the picture, and of the wanted field.

    Raises:
        RefusedImageError: it is none that can be read, or ends within its header.
    """
    header = Header()
    try:
        for found in _walk(file):
            if isinstance(found, Size):
                header.size = header.size or found
            elif wanted is not None and not header.values:
                header.values = _values(found, file, wanted)
            if header.size and (wanted is None or header.values):
                break
    except MoreError as error:
        header.more = (error.start, error.length)
    except EndError as error:
        if header.size:
            return header
        sentence = "The file ends within its header: it was not copied whole. Upload it again."
        raise RefusedImageError("truncated", sentence) from error
    except TooLongError:
        pass  # nobody can say; whoever decodes it will see
    return header


def _walk(file: Pieces) -> Walk:
    head = file.at(0, min(_LONGEST, file.size))
    for signature, walk in _WALKS.items():
        if head.startswith(signature) and (walk is not webp.walk or head.endswith(_WEBP)):
            return walk(file)
    if not any(head):
        sentence = "The file begins with zeros: it was not copied whole. Upload it again."
        raise RefusedImageError("truncated", sentence)
    sentence = (
        "This is not a JPEG, JPEG 2000, PNG, TIFF or WebP file, whatever its name says."
        " Export the picture again as one of these."
    )
    raise RefusedImageError("unsupported_format", sentence)


def _values(block: Block, file: Pieces, wanted: Field) -> list[str]:
    try:
        found = _said(block, file, wanted)
    except EndError:
        found = []
    said = (" ".join(value.split()) for value in found)
    return list(dict.fromkeys(filter(None, said)))


def _said(block: Block, file: Pieces, wanted: Field) -> list[str]:
    if wanted.dataset is None:
        return packets.values(block.read(file), wanted.path) if block.form is Form.XMP else []
    if block.form is Form.XMP:
        return []
    held = block.read(file)
    return datasets.values(
        datasets.in_resources(held) if block.form is Form.RESOURCES else held, wanted.dataset
    )
