"""Marking: a text cut where findings begin and end, so that a page can mark what they are about."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from predella.checks import Severity
from predella.services.findings import FindingView


@dataclass(frozen=True)
class Numbered:
    """An open finding, and the number that it has on the page."""

    number: int
    view: FindingView

    @property
    def is_hard(self) -> bool:
        """Whether it holds the approval."""
        return self.view.finding.severity is Severity.HARD

    @property
    def span(self) -> tuple[int, int] | None:
        """What it is about; None for the whole text."""
        start, end = self.view.finding.span_start, self.view.finding.span_end
        return None if start is None or end is None else (start, end)


@dataclass(frozen=True)
class Segment:
    """Some characters that the same findings are about; together they are the whole text."""

    text: str
    within: tuple[Numbered, ...] = ()
    ending: tuple[Numbered, ...] = ()
    """Those whose passage ends with this segment: here their number stands."""

    @property
    def is_hard(self) -> bool:
        """Whether one of them holds the approval."""
        return any(one.is_hard for one in self.within)


def numbered(findings: Sequence[FindingView]) -> list[Numbered]:
    """Return the open findings, numbered from 1 in the order in which they are listed."""
    still_open = (one for one in findings if not one.is_dismissed)
    return [Numbered(place, one) for place, one in enumerate(still_open, start=1)]


def segments(text: str, findings: Sequence[Numbered]) -> list[Segment]:
    """Cut a text at every place where a passage begins or ends; passages may overlap."""
    spans = [(one, span) for one in findings if (span := one.span) is not None]
    edges = {0, len(text)} | {min(edge, len(text)) for _, span in spans for edge in span}
    cuts = sorted(edges)
    return [
        Segment(
            text[start:end],
            tuple(one for one, span in spans if span[0] <= start and end <= span[1]),
            tuple(one for one, span in spans if min(span[1], len(text)) == end),
        )
        for start, end in pairwise(cuts)
    ]
