"""The words of English for hues, and where they mean something else."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from predella.checks import vocabulary
from predella.checks.finding import Span
from predella.checks.wording import Wording

_CALLED = {
    "red": "red reds crimson scarlet vermilion vermillion carmine",
    "orange": "orange oranges",
    "yellow": "yellow yellows",
    "green": "green greens viridian",
    "blue": "blue blues azure cobalt ultramarine cerulean navy indigo",
    "purple": "purple purples violet mauve",
    "pink": "pink pinks magenta fuchsia",
    "brown": "brown browns umber",
}
NAMES = tuple(_CALLED)
_HUES = {word: hue for hue, words in _CALLED.items() for word in words.split()}
_DENIED = re.compile(
    r"\b(?:no|not|nor|neither|never|without|lacks?|lacking|absent|absence of|devoid of|free of|"
    r"instead of|rather than|avoids?|nothing|hardly|scarcely|barely)\b[^,;:]{0,40}$"
)
_COMPARED = re.compile(r"\b(?:as if|as though|suggest\w*|imagin\w*|recall\w*|evok\w*)\b[^,;:]*$")
_FRUIT = vocabulary.words("an the one two three four five six single peeled halved cut half of")
_FRUITS = vocabulary.words("""
    tree trees peel slice slices segment segments blossom grove half halves
""")
_FLOWER = vocabulary.words("a the of")
_NOT_THE_HUE = vocabulary.words("""
    house houses man men belt card room screen wine planet revolution
""")
"""Things that are called after a colour and need not have it."""


@dataclass(frozen=True)
class Hue:
    """One hue that a text says is there."""

    name: str
    span: Span


def named(wording: Wording) -> Iterator[Hue]:
    """Return the hues that a text claims; one it denies, hedges or means as a fruit is none."""
    words = wording.words
    for place, word in enumerate(words):
        hue = _HUES.get(word.text)
        if hue is None:
            continue
        before = words[place - 1].text if place else ""
        after = words[place + 1].text if place + 1 < len(words) else ""
        if _means_a_thing(word.text, before, after) or _is_proper(wording, word.start):
            continue
        said = wording.before(word.start)
        if not _DENIED.search(said) and not _COMPARED.search(said):
            yield Hue(hue, (word.start, word.end))


def _means_a_thing(word: str, before: str, after: str) -> bool:
    if after in _NOT_THE_HUE:
        return True
    if word in {"orange", "oranges"}:
        return word == "oranges" or before in _FRUIT or after in _FRUITS
    return word == "violet" and before in _FLOWER


def _is_proper(wording: Wording, place: int) -> bool:
    return wording.text[place].isupper() and not wording.opens_sentence(place)
