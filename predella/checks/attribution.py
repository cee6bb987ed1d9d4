"""Does the text say who made the picture? No pixel shows a hand's owner."""

import re
from collections.abc import Iterator

from predella.checks.context import Context
from predella.checks.finding import Remark, Severity
from predella.checks.saying import Sayings
from predella.checks.wording import Wording

_NAME = (
    r"(?-i:[A-ZÀ-Þ][\w'-]+(?:\s+(?:van|der|den|de|von|da|di|del|la|le|[A-ZÀ-Þ](?:\.|[\w'-]+)))*)"
)
_MADE = re.compile(
    r"\b(?:(?:painted|created|executed|made|drawn|signed|designed|completed|produced|rendered)"
    rf"\s+(?:in\s+\d{{4}}\s+)?by\s+(?:the\s+)?(?:(?:\w+\s+){{0,3}}(?:artist|painter|master)\s+)?{_NAME}"
    rf"|(?:attributed|ascribed)\s+to\s+(?:the\s+)?{_NAME}"
    rf"|(?:circle|workshop|studio|school|follower|followers|manner)\s+of\s+(?!the\b){_NAME}"
    rf"|(?:works?|paintings?|canvas|masterpieces?)\s+by\s+(?!the\b){_NAME}"
    rf"|by\s+the\s+(?:\w+\s+){{0,3}}(?:artist|painter|master)\s+{_NAME})",
    re.IGNORECASE,
)
_MOVEMENT = re.compile(
    r"\b(?:Impressionis[mt]|Post-Impressionis[mt]|Expressionis[mt]|Cubis[mt]|Surrealis[mt]|"
    r"Mannerism|Mannerist|Baroque|Rococo|Renaissance|Romanticism|Neoclassicism|Fauvis[mt]|"
    r"Symbolis[mt]|Pre-Raphaelite|De Stijl|Bauhaus|Art Nouveau|Pop Art|"
    r"Dutch Golden Age|Hudson River School|Barbizon School)s?\b"
)

SAYS: Sayings = {
    "maker": ("“{quote}” says who made it; that cannot be seen in the picture.",),
    "movement": ("“{quote}” names a movement or a period; describe what can be seen of it.",),
}


def find(wording: Wording, context: Context) -> Iterator[Remark]:
    """Tell makers and movements that an English text names."""
    if not context.is_english:
        return
    for match in _MADE.finditer(wording.plain):
        yield Remark(Severity.SOFT, match.span(), {"kind": "maker"})
    for match in _MOVEMENT.finditer(wording.plain):
        yield Remark(Severity.INFO, match.span(), {"kind": "movement"})
