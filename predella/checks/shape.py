"""Is the picture as tall, wide or square as the text says?"""

from collections.abc import Iterator

from predella.checks.claim import against, claim
from predella.checks.context import Context
from predella.checks.finding import Remark
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


def find(wording: Wording, context: Context) -> Iterator[Remark]:
    """Tell what an English text says of the format and the picture contradicts."""
    picture = context.picture
    if picture is None or not context.is_english:
        return
    sentence = f"The picture has {picture.width:,} x {picture.height:,} pixels."
    ratio = picture.width / picture.height
    yield from against(wording, _CLAIMS, ratio, what="width_by_height", sentence=sentence)
