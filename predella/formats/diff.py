"""What changed between two wordings, and how much."""

import re
from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

_TOKEN = re.compile(r"\w+(?:['\u2019-]\w+)*|\s+|[^\w\s]")
_WORD = re.compile(r"\w+(?:['\u2019-]\w+)*")
_THOROUGH = 4_000_000
"""Pairs of tokens; above, words that stand everywhere no longer count as landmarks."""


class Fate(StrEnum):
    """What became of a passage."""

    KEPT = "kept"
    REMOVED = "removed"
    ADDED = "added"


@dataclass(frozen=True)
class Change:
    """One passage, and what became of it."""

    fate: Fate
    text: str


def words(old: str, new: str) -> list[Change]:
    """Return how to get from one wording to the other, word by word.

    What is not added is the old wording, what is not removed is the new one. Space alone is no
    landmark: two words that change side by side are one change.
    """
    before, after = _TOKEN.findall(old), _TOKEN.findall(new)
    hasty = len(before) * len(after) > _THOROUGH
    matcher = SequenceMatcher(str.isspace, before, after, autojunk=hasty)
    return [
        Change(fate, passage)
        for step, i, j, k, m in matcher.get_opcodes()
        for fate, passage in _step(step, "".join(before[i:j]), "".join(after[k:m]))
    ]


def _step(step: str, before: str, after: str) -> Iterator[tuple[Fate, str]]:
    if step == "equal":
        yield Fate.KEPT, after
        return
    if before:
        yield Fate.REMOVED, before
    if after:
        yield Fate.ADDED, after


def distance(old: str, new: str) -> int:
    """Return how many characters to insert, delete or replace at least (Levenshtein).

    One long integer holds a column of the table, so that 20,000 characters against as many
    take a fraction of a second. Hyyrö, "A bit-vector algorithm for computing Levenshtein and
    Damerau edit distances" (2003).
    """
    if not old:
        return len(new)
    places, mask, last = _places(old), (1 << len(old)) - 1, 1 << (len(old) - 1)
    rises, falls, found = mask, 0, len(old)
    for character in new:
        equal = places[character]
        across = (((equal & rises) + rises) ^ rises) | equal
        up = falls | (mask & ~(across | rises))
        down = rises & across
        found += bool(up & last) - bool(down & last)
        up = (up << 1 | 1) & mask
        diagonal = equal | falls
        rises = ((down << 1) & mask) | (mask & ~(diagonal | up))
        falls = up & diagonal
    return found


def share_kept(old: str, new: str) -> float:
    """Return the share of the old wording's words that still stand in the new one, in order.

    The longest common subsequence, by bits: Hyyrö, "Bit-parallel LCS-length computation
    revisited" (2004).
    """
    before, after = _WORD.findall(old), _WORD.findall(new)
    if not before:
        return 1.0
    places, mask = _places(before), (1 << len(before)) - 1
    gone = mask
    for word in after:
        hit = gone & places[word]
        gone = ((gone + hit) | (gone - hit)) & mask
    return (len(before) - gone.bit_count()) / len(before)


def _places(parts: Sequence[Hashable]) -> defaultdict[Hashable, int]:
    """Return, for each part, the bits of the places where it stands."""
    places = defaultdict[Hashable, int](int)
    for place, part in enumerate(parts):
        places[part] |= 1 << place
    return places
