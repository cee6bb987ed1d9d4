"""Is the picture as light or as dark, as strong or as soft in contrast, as the text says?"""

from collections.abc import Iterator

from predella.checks.claim import against, claim
from predella.checks.context import Context
from predella.checks.finding import Remark
from predella.checks.saying import Sayings
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

SAYS: Sayings = {
    "mean": ("The mean lightness of the pixels is {luma_mean:.2f}, where 0 is black and 1 white.",),
    "range": (
        "The pixels range from {luma_5th:.2f} to {luma_95th:.2f}, where 0 is black and 1 white.",
    ),
}


def find(wording: Wording, context: Context) -> Iterator[Remark]:
    """Tell what an English text says of the light of the whole and the pixels contradict."""
    picture = context.picture
    if picture is None or not context.is_english:
        return
    luma, low, high = (picture.level(f"luma_{name}") for name in ("mean", "5th", "95th"))
    if luma is not None:
        evidence = {"kind": "mean", "luma_mean": round(luma, 3)}
        yield from against(wording, _KEY, luma, evidence)
    if low is not None and high is not None:
        levels = {"luma_5th": low, "luma_95th": high, "luma_spread": high - low}
        evidence = {"kind": "range", **{name: round(level, 3) for name, level in levels.items()}}
        yield from against(wording, _CONTRAST, high - low, evidence)
