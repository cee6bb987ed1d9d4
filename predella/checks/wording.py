"""A wording, taken apart once for all checks."""

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from predella.checks.finding import Span

_PLAIN = str.maketrans(
    "\u2018\u2019\u201c\u201d\u00ab\u00bb\u2010\u2011\u2012\u2013\u2014\u00a0\u202f\u00d7",
    '\'\'""""-----  x',
)
_NEAR = 120
"""Characters: as far as a "no" or a "not" reaches, and then some."""
_WORD = re.compile(r"[^\W_]+(?:['-][^\W_]+)*")
# Not after an initial or "St.", and not before a small letter or a digit ("c. 1650"). The last
# three are full stop, exclamation and question mark of Chinese and Japanese.
_END = re.compile(
    r"(?<!\b[A-ZÀ-Þ])(?<!\bSt)[.!?…]+[\")\]]*\s+(?![\"'(\[]*[a-zß-ÿ\d])"
    "|[\u3002\uff01\uff1f]\\s*|\n\\s*"
)


def plain(text: str) -> str:
    """Return a text as long, its quotation marks and dashes those of ASCII."""
    return text.translate(_PLAIN)


class Word(NamedTuple):
    """One word of a text."""

    text: str
    """In small letters."""
    start: int
    end: int


@dataclass(frozen=True)
class Wording:
    """One wording, in NFC as it is stored."""

    text: str

    @cached_property
    def plain(self) -> str:
        """The same character for character, its quotation marks and dashes those of ASCII."""
        return plain(self.text)

    @cached_property
    def words(self) -> tuple[Word, ...]:
        """Every word; one with a hyphen is one."""
        return tuple(Word(m[0].lower(), m.start(), m.end()) for m in _WORD.finditer(self.plain))

    @cached_property
    def sentences(self) -> tuple[Span, ...]:
        """Every sentence, without the space around it."""
        ends = [match.end() for match in _END.finditer(self.plain)] + [len(self.text)]
        bounds = zip([0, *ends], ends, strict=False)
        return tuple(found for start, end in bounds if (found := self._trimmed(start, end)))

    @cached_property
    def _sentence_starts(self) -> list[int]:
        return [start for start, _ in self.sentences]

    def _trimmed(self, start: int, end: int) -> Span | None:
        said = self.text[start:end]
        start += len(said) - len(said.lstrip())
        end = start + len(said.strip())
        return (start, end) if start < end else None

    def sentence_at(self, place: int) -> Span:
        """Return the sentence that this character is in; the space after it belongs to it."""
        if not self.sentences:
            return 0, len(self.text)
        return self.sentences[max(0, bisect_right(self._sentence_starts, place) - 1)]

    def passage(self, span: Span) -> Span:
        """Return the whole sentences around a span."""
        return self.sentence_at(span[0])[0], self.sentence_at(max(span[0], span[1] - 1))[1]

    def quote(self, span: Span | None) -> str | None:
        """Return the words of a span, as they stand."""
        return self.text[slice(*span)] if span else None

    def without(self, span: Span) -> str:
        """Return the text without the sentences around a span; one gap stays where two were."""
        start, end = self.passage(span)
        before, after = self.text[:start].rstrip(), self.text[end:].lstrip()
        if not before or not after:
            return before or after
        gaps = self.text[len(before) : start], self.text[end : len(self.text) - len(after)]
        # A paragraph that ended here still ends.
        return before + max(gaps, key=lambda gap: (gap.count("\n"), len(gap))) + after

    def without_all(self, spans: Iterable[Span]) -> str:
        """Return the text without every sentence that one of these spans touches."""
        touched = {
            sentence
            for span in spans
            for sentence in self.sentences
            if sentence[0] < span[1] and span[0] < sentence[1]
        }
        rest = self.text
        # From behind, so that the places before stay what they are.
        for sentence in sorted(touched, reverse=True):
            rest = Wording(rest).without(sentence)
        return rest

    def opens_sentence(self, place: int) -> bool:
        """Say whether nothing but quotation marks and brackets stands before it in its sentence."""
        return not re.search(r"\w", self.text[self.sentence_at(place)[0] : place])

    def before(self, place: int) -> str:
        """Return what comes just before it in its sentence, in small letters."""
        return self.plain[max(self.sentence_at(place)[0], place - _NEAR) : place].lower()
