"""What makes two texts of a collection alike: runs of words, and whole sentences.

Runs are compared by MinHash with one permutation (Li, Owen, Zhang 2012, densified by rotation:
Shrivastava, Li 2014): a text costs one hash a run, not one a run and permutation.
"""

import re
from collections.abc import Iterator, Mapping
from hashlib import blake2b

from predella.checks.context import Context
from predella.checks.finding import Remark, Severity
from predella.checks.saying import Sayings
from predella.checks.wording import Wording

_RUN = 3
"""Words in a row."""
_ROWS = 5
_BANDS = 25
"""With five rows each: 0.99 of the pairs that share 0.7 of their runs meet in a band."""
_BINS = _ROWS * _BANDS
_ALL = 1 << 64
_LEAST_WORDS = 12
"""A shorter text, or sentence of half of it, is alike by chance."""
_LEAST_OF_SENTENCE = 6
_SPACE = re.compile(r"[\W_]+")

SAYS_NEAR: Sayings = {
    None: ("The text is nearly that of {nearest}, which shows another image.",),
}
SAYS_REUSED: Sayings = {
    None: ("This sentence stands in {works:,} or more other texts of the collection.",),
}


def bands(wording: Wording) -> list[int]:
    """Return 26 hashes, of which texts that are alike share at least one."""
    runs = _runs(wording)
    if len(wording.words) < _LEAST_WORDS:
        return []
    lowest = _densified(_lowest(runs))
    whole = _hash("whole", " ".join(word.text for word in wording.words))
    rows = (lowest[start : start + _ROWS] for start in range(0, _BINS, _ROWS))
    return [whole, *(_hash(f"band {place}", repr(row)) for place, row in enumerate(rows))]


def sentence_hashes(wording: Wording) -> dict[int, tuple[int, int]]:
    """Return the hash of every sentence that says enough to be recognised, with its span."""
    return {
        _hash("sentence", said): (start, end)
        for start, end in wording.sentences
        if len(said := _SPACE.sub(" ", wording.text[start:end].lower()).strip())
        and said.count(" ") >= _LEAST_OF_SENTENCE - 1
    }


def similarity(one: Wording, other: Wording) -> float:
    """Return the share of runs that two texts have in common, of all that either has."""
    left, right = _runs(one), _runs(other)
    return len(left & right) / len(left | right) if left or right else 0.0


def find_near(wording: Wording, context: Context) -> Iterator[Remark]:
    """Tell a text that says nearly the same as another of the collection."""
    alike = [
        {
            "analysis_id": other.analysis_id,
            "object_number": other.object_number,
            "similarity": round(share, 3),
        }
        for other in context.lookalikes
        if (share := similarity(wording, Wording(other.text))) >= context.thresholds.similarity
    ]
    if alike:
        nearest = max(alike, key=lambda one: (one["similarity"], str(one["analysis_id"])))
        whose = nearest["object_number"] or nearest["analysis_id"]
        yield Remark(Severity.SOFT, evidence={"alike": alike, "nearest": whose})


def find_reused(wording: Wording, context: Context) -> Iterator[Remark]:
    """Tell sentences that stand in many texts of the collection."""
    for hashed, span in sentence_hashes(wording).items():
        works = context.reuse.get(hashed, 0)
        if works >= context.thresholds.reused_in:
            yield Remark(Severity.INFO, span, {"works": works})


def _runs(wording: Wording) -> set[str]:
    said = [word.text for word in wording.words]
    return {" ".join(said[place : place + _RUN]) for place in range(len(said) - _RUN + 1)}


def _lowest(runs: set[str]) -> dict[int, int]:
    """Return the lowest hash in each bin that has one; a run belongs to one bin alone."""
    lowest: dict[int, int] = {}
    for run in runs:
        value, place = divmod(_unsigned(run), _BINS)
        if value < lowest.get(place, _ALL):
            lowest[place] = value
    return lowest


def _densified(lowest: Mapping[int, int]) -> list[tuple[int, int]]:
    """Fill each empty bin from the next one to its right that is not, and say how far that was."""
    filled = [(0, 0)] * _BINS
    away, value = _BINS, 0
    for place in range(2 * _BINS - 1, -1, -1):
        away, value = (0, lowest[place % _BINS]) if place % _BINS in lowest else (away + 1, value)
        filled[place % _BINS] = (away, value)
    return filled


def _unsigned(said: str) -> int:
    return int.from_bytes(blake2b(said.encode(), digest_size=8).digest())


def _hash(kind: str, said: str) -> int:
    """Return a signed number of 64 bits, as Postgres keeps one."""
    data = blake2b(f"{kind}\0{said}".encode(), digest_size=8).digest()
    return int.from_bytes(data, signed=True)
