"""Is the picture as light or as dark, as strong or as soft in contrast, as the text says?"""

from collections.abc import Iterator

from predella.checks.claim import against, claim
from predella.checks.context import Context
from predella.checks.finding import Remark
from predella.checks.wording import Wording

_WHOLE = r"(?:overall|on the whole|throughout)"
_KEY = (
    claim(
        rf"low[- ]key(?:ed)?|low, dark key|dark {_WHOLE}|(?:very |predominantly |mostly )?dark (?:palette|tonality|tonal range)|"  # noqa: E501
        r"(?:palette|picture|painting|image) is (?:very |predominantly |mostly )?dark",
        lambda luma: luma > 0.6,  # noqa: PLR2004
    ),
    claim(
        rf"high[- ]key(?:ed)?|high, light key|(?:light|bright) {_WHOLE}|(?:bright|light) (?:palette|tonality)|"  # noqa: E501
        r"(?:palette|picture|painting|image) is (?:very |predominantly |mostly )?(?:bright|light)",
        lambda luma: luma < 0.25,  # noqa: PLR2004
    ),
)
_CONTRAST = (
    claim(
        r"(?:strong|stark|sharp|high|dramatic|pronounced) (?:tonal )?contrasts? (?:of|between) "
        r"(?:light and (?:dark|shadow)|lights and darks)|tonal contrast is strong|"
        r"steps between light and dark are large|(?:strong|stark|dramatic) chiaroscuro",
        lambda spread: spread < 0.2,  # noqa: PLR2004
    ),
    claim(
        r"(?:low|little|minimal|weak) (?:tonal )?contrast|tonal contrast is low|"
        r"steps between light and dark are small|narrow tonal range",
        lambda spread: spread > 0.75,  # noqa: PLR2004
    ),
)


def find(wording: Wording, context: Context) -> Iterator[Remark]:
    """Tell what an English text says of the light of the whole and the pixels contradict."""
    picture = context.picture
    if picture is None or not context.is_english:
        return
    luma, low, high = (picture.level(f"luma_{name}") for name in ("mean", "5th", "95th"))
    if luma is not None:
        sentence = f"The mean lightness of the pixels is {luma:.2f}, where 0 is black and 1 white."
        yield from against(wording, _KEY, luma, what="luma_mean", sentence=sentence)
    if low is not None and high is not None:
        sentence = f"The pixels range from {low:.2f} to {high:.2f}, where 0 is black and 1 white."
        yield from against(wording, _CONTRAST, high - low, what="luma_spread", sentence=sentence)
