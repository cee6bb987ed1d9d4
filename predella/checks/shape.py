"""Is the picture as tall, wide or square as the text says?"""

from collections.abc import Iterator

from predella.checks.claim import against, claim
from predella.checks.context import Context
from predella.checks.finding import Remark
from predella.checks.saying import Sayings
from predella.checks.wording import Wording

_FORMAT = r"(?:format|orientation)"
_MARGIN = 1.06
"""A frame, or a cropped edge, changes the ratio by less."""
_SQUARE = 1.15

_CLAIMS = (
    claim(
        rf"(?:tall|vertical|upright|portrait) {_FORMAT}|taller than (?:it is )?wide",
        lambda ratio: ratio > _MARGIN,
    ),
    claim(
        rf"(?:wide|horizontal|landscape|panoramic|broad) {_FORMAT}"
        r"|wider than (?:it is )?(?:tall|high)",
        lambda ratio: ratio < 1 / _MARGIN,
    ),
    claim(
        rf"square {_FORMAT}|as wide as it is (?:tall|high)",
        lambda ratio: not 1 / _SQUARE < ratio < _SQUARE,
    ),
)

SAYS: Sayings = {None: ("The picture has {width:,} x {height:,} pixels.",)}


def find(wording: Wording, context: Context) -> Iterator[Remark]:
    """Tell what an English text says of the format and the picture contradicts."""
    picture = context.picture
    if picture is None or not context.is_english:
        return
    ratio = picture.width / picture.height
    evidence = {
        "width_by_height": round(ratio, 3),
        "width": picture.width,
        "height": picture.height,
    }
    yield from against(wording, _CLAIMS, ratio, evidence)
