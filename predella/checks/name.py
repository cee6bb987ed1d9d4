"""Are there names in the text that nobody could read off the picture?"""

import re
from collections.abc import Iterator

from predella.checks import vocabulary
from predella.checks.context import Context
from predella.checks.finding import Remark, Severity
from predella.checks.saying import Sayings
from predella.checks.wording import Wording

_NAME = re.compile(r"(?<![\w'-])[A-ZÀ-Þ][a-zà-ÿ]{2,}(?:[ -][A-ZÀ-Þ][a-zà-ÿ]+)*")
_CAPITALISED = vocabulary.words("""
    venetian prussian persian turkish roman gothic greek doric ionic corinthian chinese japanese
    indian oriental dutch french english flemish naples egyptian byzantine moorish spanish italian
    german delft cartesian latin arabic hebrew cyrillic european western eastern
    virgin child christ jesus madonna magi cupid venus god bible cross monday tuesday wednesday
    thursday friday saturday sunday
""")
"""Words that English writes with a capital and that say how a thing looks, or what it depicts."""
_PIGMENTS = vocabulary.words("red blue green yellow brown white black lake ochre umber sienna")

SAYS: Sayings = {"name": ("“{quote}” looks like a name; can it be seen in the picture?",)}


def find(wording: Wording, context: Context) -> Iterator[Remark]:
    """Tell words that an English text capitalises within a sentence."""
    if not context.is_english:
        return
    allowed = {name.lower() for name in context.thresholds.names_allowed} | _CAPITALISED
    for match in _NAME.finditer(wording.plain):
        words = match[0].lower().replace("-", " ").split()
        if wording.opens_sentence(match.start()) or _follows_colon(wording, match.start()):
            continue
        if allowed.issuperset(words) or match[0].lower() in allowed or _is_pigment(wording, match):
            continue
        yield Remark(Severity.INFO, match.span(), {"kind": "name"})


def _follows_colon(wording: Wording, place: int) -> bool:
    """Say whether a heading or a quotation begins here."""
    return wording.plain[:place].rstrip().endswith((":", '"', "'", "(", "*", "#"))


def _is_pigment(wording: Wording, match: re.Match[str]) -> bool:
    following = wording.text[match.end() :].split(maxsplit=1)
    return bool(following) and following[0].strip(".,;:").lower() in _PIGMENTS
