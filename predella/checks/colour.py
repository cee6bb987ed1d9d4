"""Does the text name a colour that the pixels lack?"""

from collections.abc import Iterator

from predella.checks import hue
from predella.checks.context import Context
from predella.checks.finding import Remark, Severity
from predella.checks.saying import Sayings
from predella.checks.wording import Wording

_GREY_CHROMA = 4.0
"""C*ab that 95 in 100 pixels stay below: nobody sees a hue in it."""

SAYS_ABSENT: Sayings = {
    None: ("{share:.1%} of the picture could be called {colour:colour}.",),
}
SAYS_IN_GREY: Sayings = {
    None: ("The image is black and white; no hue can be seen in it.",),
}


def find_absent(wording: Wording, context: Context) -> Iterator[Remark]:
    """Tell hues of an English text that next to no pixel could be called."""
    picture = context.picture
    if picture is None or picture.colours is None or not context.is_english:
        return
    if _is_grey(context):
        return
    for claimed in hue.named(wording):
        share = picture.colours.get(claimed.name)
        if share is not None and share < context.thresholds.colour_share:
            evidence = {"colour": claimed.name, "share": share}
            yield Remark(Severity.SOFT, claimed.span, evidence)


def find_in_grey(wording: Wording, context: Context) -> Iterator[Remark]:
    """Tell hues of an English text about a black-and-white image."""
    if not context.is_english or not _is_grey(context):
        return
    for claimed in hue.named(wording):
        yield Remark(Severity.SOFT, claimed.span, {"colour": claimed.name})


def _is_grey(context: Context) -> bool:
    chroma = context.picture.level("chroma_95th") if context.picture else None
    return chroma is not None and chroma < _GREY_CHROMA
