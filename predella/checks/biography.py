"""Does the text tell a life, or where the picture has been? Neither can be seen."""

import re
from collections.abc import Iterator

from predella.checks.context import Context
from predella.checks.finding import Remark, Severity
from predella.checks.saying import Sayings
from predella.checks.wording import Wording

_LIFE = re.compile(
    r"\b(?:was (?:born|raised|trained) (?:in|at|near)|died (?:in|at)|(?:studied|trained) under|"
    r"apprentice(?:d|ship)?|pupil of|teacher of|biograph\w+|"
    r"(?:his|her|their|the artist's|the painter's) "
    r"(?:wife|husband|patron|brother|sister|mentor|career|oeuvre|œuvre|life|lifetime|legacy|"
    r"later years|early years|childhood|contemporaries|other works))\b",
    re.IGNORECASE,
)
_WHEREABOUTS = re.compile(
    r"\b(?:(?:now|currently) (?:housed|held|kept|exhibited|owned|displayed) (?:in|at|by)|"
    r"(?:is|was|are|were) (?:housed|held|kept|exhibited|owned|displayed) "
    r"(?:in|at|by) (?:the )?(?-i:[A-ZÀ-Þ])[\w'-]*|"
    r"(?:hangs|on (?:view|display)) (?:in|at) the (?-i:[A-ZÀ-Þ])[\w'-]*|"
    r"(?:in the collection|permanent collection) of|"
    r"(?:was|were) (?:acquired|commissioned|bequeathed|donated|purchased|sold|exhibited|stolen)|"
    r"commissioned by|bequest of|gift of|salon of \d{4})\b",
    re.IGNORECASE,
)

SAYS: Sayings = {
    "life": ("“{quote}” speaks of somebody's life; it cannot be seen in the picture.",),
    "whereabouts": ("“{quote}” tells what became of the picture; that cannot be seen in it.",),
}


def find(wording: Wording, context: Context) -> Iterator[Remark]:
    """Tell lives, owners and places of keeping that an English text speaks of."""
    if not context.is_english:
        return
    for match in _LIFE.finditer(wording.plain):
        yield Remark(Severity.SOFT, match.span(), {"kind": "life"})
    for match in _WHEREABOUTS.finditer(wording.plain):
        yield Remark(Severity.SOFT, match.span(), {"kind": "whereabouts"})
