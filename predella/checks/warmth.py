"""Is the palette as warm or cool, as vivid or muted, as the text says?"""

from collections.abc import Iterator

from predella.checks.claim import against, claim
from predella.checks.context import Context
from predella.checks.finding import Remark
from predella.checks.saying import Sayings
from predella.checks.wording import Wording

_HUES = r"(?:palette|tones|tonality|hues|colou?rs|colou?ring)"
_RULE = r"(?:dominates?|prevails?|predominates?)"
_WARMTH = (
    claim(
        rf"warm {_HUES} {_RULE}|palette (?:is|leans) (?:to the )?(?:predominantly |mostly )?warm(?: side)?|"  # noqa: E501
        r"(?:predominantly|mostly|overall) warm (?:palette|tonality)|a warm (?:overall )?palette",
        lambda warmth: warmth < -0.35,  # noqa: PLR2004
    ),
    claim(
        rf"cool {_HUES} {_RULE}|palette (?:is|leans) (?:to the )?(?:predominantly |mostly )?cool(?: side)?|"  # noqa: E501
        r"(?:predominantly|mostly|overall) cool (?:palette|tonality)|a cool (?:overall )?palette",
        lambda warmth: warmth > 0.6,  # noqa: PLR2004
    ),
)
_STRENGTH = (
    claim(
        rf"(?:vivid|highly saturated|intensely saturated|brilliant) {_HUES}|"
        r"palette is (?:vivid|brilliant|highly saturated)|pigments are vivid",
        lambda saturation: saturation < 0.1,  # noqa: PLR2004
    ),
    claim(
        rf"almost colourless|almost monochrome|desaturated {_HUES}|palette is desaturated",
        lambda saturation: saturation > 0.6,  # noqa: PLR2004
    ),
)
_FAINT = 0.06
"""Mean saturation below which warm and cool mean nothing."""

SAYS: Sayings = {
    "warmth": ("The warmth of the pixels is {warmth:.2f}, from -1 (all blue) to 1 (all orange).",),
    "saturation": ("The mean saturation of the pixels is {saturation_mean:.2f}, from 0 to 1.",),
}


def find(wording: Wording, context: Context) -> Iterator[Remark]:
    """Tell what an English text says of the whole palette and the pixels contradict."""
    picture = context.picture
    if picture is None or not context.is_english:
        return
    warmth, saturation = picture.level("warmth"), picture.level("saturation_mean")
    if saturation is None or warmth is None:
        return
    if saturation > _FAINT:
        evidence = {"kind": "warmth", "warmth": round(warmth, 3)}
        yield from against(wording, _WARMTH, warmth, evidence)
    evidence = {"kind": "saturation", "saturation_mean": round(saturation, 3)}
    yield from against(wording, _STRENGTH, saturation, evidence)
