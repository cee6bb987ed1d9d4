"""Does the photograph stand as the catalog's dimensions say that the object does?"""

import re
from collections.abc import Iterator

from predella.checks.context import Context, Picture
from predella.checks.finding import Remark, Severity
from predella.checks.saying import Sayings
from predella.checks.wording import Wording

_NUMBER = r"(\d+(?:[.,]\d+)?)\s*(?:cm|mm|m|in\.?|inches)?"
_SIZE = re.compile(rf"{_NUMBER}\s*[xX]\s*{_NUMBER}")
_LABELLED = {
    "height": re.compile(rf"\b(?:height|hoogte|höhe|hauteur|h\.?)\s*:?\s*{_NUMBER}", re.IGNORECASE),
    "width": re.compile(
        rf"\b(?:width|breedte|breite|largeur|w\.?|b\.?)\s*:?\s*{_NUMBER}", re.IGNORECASE
    ),
}
_MARGIN = 1.05
"""What a frame or a margin around the object may change."""
_TURNED = 1.1
"""As far from square as the object must be for a turn to be seen."""

_LIES = (
    "The catalog gives {dimensions} (height first), the picture has {width:,} x {height:,} pixels: "
    "it seems to lie on its side."
)
SAYS: Sayings = {
    "as_it_is": (_LIES,),
    "as_turned": (_LIES, "The file itself asked to be turned."),
}


def find(_wording: Wording, context: Context) -> Iterator[Remark]:
    """Tell a photograph that lies on its side, by the catalog's dimensions."""
    for record in context.records:
        if context.picture and record.dimensions and _is_turned(context.picture, record.dimensions):
            yield _remark(context.picture, record.dimensions)
            return


def _is_turned(picture: Picture, dimensions: str) -> bool:
    """Say whether the picture fits the dimensions only when it is turned by a quarter."""
    size = _height_and_width(dimensions)
    if size is None:
        return False
    height, width = size
    catalog, pixels = height / width, picture.height / picture.width
    if 1 / _TURNED < catalog < _TURNED:
        return False
    return 1 / _MARGIN < catalog * pixels < _MARGIN


def _remark(picture: Picture, dimensions: str) -> Remark:
    turned = picture.facts.get("orientation", 1)
    evidence = {
        "kind": "as_it_is" if turned in {1, None} else "as_turned",
        "dimensions": dimensions,
        "width": picture.width,
        "height": picture.height,
        "exif_orientation": turned,
    }
    return Remark(Severity.INFO, evidence=evidence)


def _height_and_width(dimensions: str) -> tuple[float, float] | None:
    labelled = [pattern.search(dimensions) for pattern in _LABELLED.values()]
    if all(labelled):
        height, width = (_number(match[1]) for match in labelled if match)
    elif len(found := _SIZE.findall(dimensions)) == 1:
        height, width = map(_number, found[0])
    else:
        return None
    return (height, width) if height and width else None


def _number(said: str) -> float:
    return float(said.replace(",", "."))
