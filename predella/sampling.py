"""Acceptance by sampling: what a plan promises, how much it reads, and which texts it draws.

Plans are indexed on limiting quality, the share of bad texts that a museum must not let pass
(the idea of ISO 2859-2 for lots on their own), and computed for the lot at hand. Exact
throughout: hypergeometric for a lot, Clopper-Pearson for what a sample says.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil, comb
from typing import TypeVar
from uuid import UUID

AT_LEAST = 5
"""Texts read of every stratum that has so many."""

StratumT = TypeVar("StratumT", bound=UUID | str)


class Plan(StrEnum):
    """How strictly a lot is sampled."""

    STRICT = "strict"
    STANDARD = "standard"
    QUICK_LOOK = "quick_look"


@dataclass(frozen=True)
class Terms:
    """What a plan reads, forgives and promises."""

    sample: int
    """Texts read of a large lot; of a small one fewer."""
    allowed: int
    """Defects in the sample with which the lot still passes."""
    limit: float
    """A lot with this share of bad texts, or more, passes at most with probability ``risk``."""
    risk: float


TERMS: Mapping[Plan, Terms] = {
    Plan.STRICT: Terms(sample=263, allowed=2, limit=0.02, risk=0.10),
    Plan.STANDARD: Terms(sample=105, allowed=2, limit=0.05, risk=0.10),
    Plan.QUICK_LOOK: Terms(sample=60, allowed=0, limit=0.049, risk=0.05),
}


def acceptance(*, members: int, bad: int, sample: int, allowed: int) -> float:
    """Return how probably a lot with so many bad texts passes: hypergeometric, exact."""
    ways = sum(
        comb(bad, found) * comb(members - bad, sample - found)
        for found in range(min(allowed, bad, sample) + 1)
    )
    return ways / comb(members, sample)


def sample_size(plan: Plan, members: int) -> int:
    """Return how many texts keep a plan's promise for a lot of this size.

    Never more than the plan's own number, nor than the lot has. Where the plan forgives as
    many defects as would be too many for so small a lot, that is as good as all of them.
    """
    terms = TERMS[plan]
    most = min(terms.sample, members)
    bad = ceil(members * terms.limit)
    low, high = 0, most
    while low < high:
        middle = (low + high) // 2
        chance = acceptance(members=members, bad=bad, sample=middle, allowed=terms.allowed)
        low, high = (low, middle) if chance <= terms.risk else (middle + 1, high)
    return high


def upper_bound(*, defects: int, sample: int, confidence: float = 0.95) -> float:
    """Return the share of bad texts that is not exceeded, with this confidence.

    Clopper and Pearson (1934), one-sided: the share at which so few defects or fewer would be
    found with probability ``1 - confidence``. 1.0 where nothing was read.
    """
    if defects >= sample:
        return 1.0
    low, high = 0.0, 1.0
    # 60 halvings: as near as a float tells apart.
    for _ in range(60):
        middle = (low + high) / 2
        enough = _at_most(defects, sample, middle) > 1 - confidence
        low, high = (middle, high) if enough else (low, middle)
    return high


def allocate(sizes: Mapping[StratumT, int], sample: int) -> dict[StratumT, int]:
    """Return how many texts to read of each stratum: in proportion, and at least five.

    A small stratum has its five on top; so all together may be more than ``sample``.
    """
    members = sum(sizes.values())
    exact = {name: sample * size / members for name, size in sizes.items()}
    shares = {name: int(share) for name, share in exact.items()}
    by_remainder = sorted(sizes, key=lambda name: (shares[name] - exact[name], str(name)))
    for name in by_remainder[: sample - sum(shares.values())]:
        shares[name] += 1
    return {name: max(share, min(AT_LEAST, sizes[name])) for name, share in shares.items()}


def draw(strata: Mapping[StratumT, Sequence[UUID]], sample: int, *, seed: int) -> list[UUID]:
    """Return the sample, in the order in which it is read; the same for the same seed for ever.

    Texts are ordered by the sha256 of the seed and their id, and the first of each stratum are
    taken: whoever has the list of members can draw it again, in any language.
    """
    shares = allocate({name: len(members) for name, members in strata.items()}, sample)
    drawn = (
        one
        for name, members in strata.items()
        for one in sorted(members, key=lambda one: _lot_of(seed, one))[: shares[name]]
    )
    return sorted(drawn, key=lambda one: _lot_of(seed, one))


def _lot_of(seed: int, member: UUID) -> bytes:
    return hashlib.sha256(f"{seed}:{member}".encode()).digest()


def _at_most(defects: int, sample: int, share: float) -> float:
    return sum(
        comb(sample, found) * share**found * (1 - share) ** (sample - found)
        for found in range(defects + 1)
    )
