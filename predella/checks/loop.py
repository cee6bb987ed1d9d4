"""Does the text repeat itself, as a model does that has lost its thread?"""

import zlib
from collections import Counter
from collections.abc import Iterator

from predella.checks.context import Context
from predella.checks.finding import Remark, Severity, Span
from predella.checks.saying import Sayings
from predella.checks.wording import Wording

_BLOCK = 1_000
"""Bytes: natural prose packs better the longer it is, so only like is measured with like."""
_PACKED = 2.4
"""Whisper's own threshold; prose of that length reaches about 1.9."""
_RUN = 4
"""Words in a row."""
_SHARE = 0.2
"""Of all runs may stand in the text a second time."""
_TURNS = 3
_LONGEST_TURN = 60
_LEAST = 8
"""Words that a loop at the end takes up at least."""
_SENTENCES = 0.3

SAYS: Sayings = {None: ("The text repeats itself.",)}


def find(wording: Wording, _context: Context) -> Iterator[Remark]:
    """Tell a text that goes round in a circle: at its end, in its sentences, or all over."""
    found = _at_the_end(wording) or _in_sentences(wording) or _in_runs(wording) or _packed(wording)
    if found is not None:
        span, evidence = found
        yield Remark(Severity.HARD, span, evidence)


_Found = tuple[Span, dict[str, object]]


def _at_the_end(wording: Wording) -> _Found | None:
    """Find the shortest turn of words that the text ends with three times or more."""
    said = [word.text for word in wording.words]
    for length in range(1, min(_LONGEST_TURN, len(said) // _TURNS) + 1):
        turns = _turns(said, length)
        if turns >= _TURNS and turns * length >= _LEAST:
            first = wording.words[len(said) - length * (turns - 1)]
            return (first.start, wording.words[-1].end), {"turns": turns, "words": length}
    return None


def _turns(said: list[str], length: int) -> int:
    turn, turns = said[-length:], 1
    while said[-length * (turns + 1) : -length * turns] == turn:
        turns += 1
    return turns


def _in_sentences(wording: Wording) -> _Found | None:
    said = [" ".join(wording.text[start:end].lower().split()) for start, end in wording.sentences]
    again = [place for place, one in enumerate(said) if one in said[:place]]
    if not again or len(again) / len(said) <= _SENTENCES:
        return None
    span = wording.sentences[again[0]][0], wording.sentences[again[-1]][1]
    return span, {"sentences": len(said), "repeated": len(again)}


def _in_runs(wording: Wording) -> _Found | None:
    said = [word.text for word in wording.words]
    runs = list(zip(*(said[start:] for start in range(_RUN)), strict=False))
    if len(runs) < 2 * _LEAST:
        return None
    share = 1 - len(set(runs)) / len(runs)
    if share <= _SHARE:
        return None
    often = {run for run, times in Counter(runs).items() if times > 1}
    places = [place for place, run in enumerate(runs) if run in often]
    span = wording.words[places[0]].start, wording.words[places[-1] + _RUN - 1].end
    return span, {"repeated_share": round(share, 3), "run": _RUN}


def _packed(wording: Wording) -> _Found | None:
    data = wording.text.encode()
    for start in range(0, max(1, len(data) - _BLOCK + 1), _BLOCK):
        block = data[start : start + _BLOCK]
        ratio = len(block) / len(zlib.compress(block))
        if ratio > _PACKED:
            first = len(data[:start].decode(errors="ignore"))
            last = len(data[: start + _BLOCK].decode(errors="ignore"))
            return (first, last), {"packed": round(ratio, 2)}
    return None
