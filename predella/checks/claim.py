"""Phrases of a text that a measurement can speak against."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from predella.checks.finding import Remark, Severity
from predella.checks.wording import Wording

_DENIED = re.compile(
    r"\b(?:no|not|nor|neither|never|without|lacks?|hardly|rather than|instead of|than)\b"
    r"[^,;:]{0,30}$"
)


@dataclass(frozen=True)
class Claim:
    """What some phrases say, and when a measurement contradicts it."""

    pattern: re.Pattern[str]
    contradicted: Callable[[float], bool]


def claim(phrases: str, contradicted: Callable[[float], bool]) -> Claim:
    """Return a claim that any of these phrases makes."""
    return Claim(re.compile(rf"\b(?:{phrases})\b", re.IGNORECASE), contradicted)


def against(
    wording: Wording, claims: Iterable[Claim], measured: float, evidence: Mapping[str, object]
) -> Iterator[Remark]:
    """Return a remark for every phrase that the measurement contradicts."""
    for one in claims:
        if not one.contradicted(measured):
            continue
        for match in one.pattern.finditer(wording.plain):
            if not _DENIED.search(wording.before(match.start())):
                yield Remark(Severity.SOFT, match.span(), evidence)
