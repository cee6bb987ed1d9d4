"""Does the text use a term that the collection's glossary speaks against?"""

from collections.abc import Iterator, Sequence

from predella.checks.context import Context, Term
from predella.checks.finding import Remark, Severity
from predella.checks.saying import Sayings
from predella.checks.wording import Word, Wording

_ENDINGS = ("s", "es", "'s")

_MORE = ("{why}.", "Instead: {instead}.")
SAYS: Sayings = {
    "forbidden": ("The glossary forbids “{term}”.", *_MORE),
    "avoided": ("The glossary advises against “{term}”.", *_MORE),
}


def find(wording: Wording, context: Context) -> Iterator[Remark]:
    """Tell every term of the glossary, in its own form or in the plural."""
    by_first: dict[str, list[Term]] = {}
    for term in context.terms:
        for first in forms(term.words[0]) if len(term.words) == 1 else [term.words[0]]:
            by_first.setdefault(first, []).append(term)
    for place, word in enumerate(wording.words):
        matching = [
            (len(term.words), term)
            for term in by_first.get(word.text, ())
            if _stands_at(term, wording.words[place : place + len(term.words)])
        ]
        if matching:
            length, term = max(matching, key=lambda pair: pair[0])
            span = word.start, wording.words[place + length - 1].end
            yield _remark(term, span)


def forms(word: str) -> list[str]:
    """Return the forms in which the last word of a term may stand."""
    return [word, *(word + ending for ending in _ENDINGS)]


def _stands_at(term: Term, words: Sequence[Word]) -> bool:
    said = [word.text for word in words]
    *first, last = term.words
    return len(said) == len(term.words) and said[:-1] == first and said[-1] in forms(last)


def _remark(term: Term, span: tuple[int, int]) -> Remark:
    kind, severity = ("forbidden", Severity.HARD) if term.forbidden else ("avoided", Severity.SOFT)
    evidence = {
        "kind": kind,
        "term": " ".join(term.words),
        "why": term.why.rstrip(".") if term.why else None,
        "instead": term.instead or None,
        "source": term.source,
    }
    return Remark(severity, span, evidence)
