"""What a comparison of engines found."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from rich.table import Column, Table

from worker.bench.meter import Spent
from worker.bench.roofline import Ceilings

_GIGABYTE = 1e9


@dataclass(frozen=True, slots=True)
class Round:
    """One mode measured once."""

    mode: str
    width: int
    """Texts that are written at once."""
    images: int
    tokens: int
    spent: Spent
    setup_seconds: float
    """Of the wall clock, until it was warm; counted nowhere else."""
    occupancy: float
    least_seconds: float
    """What the ceilings of this machine allow for these very lengths."""
    texts_compared: int
    texts_equal: int
    """To those of one at a time."""

    @property
    def tokens_per_second(self) -> float:
        """Return what modes are compared by: some write about fewer pictures than others."""
        return self.tokens / self.spent.seconds


@dataclass(frozen=True, slots=True)
class Row:
    """One mode at one width, over all rounds."""

    mode: str
    width: int
    images: int
    tokens: int
    cpu_seconds: float
    wall_seconds: float
    images_per_second: float
    tokens_per_second: float
    times_faster: dict[str, float]
    """Than the best of another mode."""
    occupancy: float
    roofline: float
    """Share of the speed that the ceilings allow, 0 to 1."""
    peak_bytes: int
    texts_compared: int
    texts_equal: int


BASELINES = ("batch1", "static", "static_cache")


@dataclass(frozen=True, slots=True)
class Findings:
    """All of it, with what it was asked and where."""

    asked: dict[str, Any]
    machine: dict[str, Any]
    ceilings: Ceilings
    mean_length: float
    rounds: list[Round]

    def rows(self) -> list[Row]:
        """Return the medians over all rounds, in the order of the modes."""
        groups: dict[tuple[str, int], list[Round]] = {}
        for one in self.rounds:
            groups.setdefault((one.mode, one.width), []).append(one)
        best: dict[str, float] = {}
        for (mode, _), group in groups.items():
            best[mode] = max(best.get(mode, 0.0), _speed(group))
        return [_row(group, best) for group in groups.values()]

    def differing(self) -> list[str]:
        """Return the modes that gave another text than one at a time; in 8 bits all may."""
        return [
            f"{row.mode} {row.width}"
            for row in self.rows()
            if row.texts_equal < row.texts_compared and row.mode != "slots_fp8"
        ]

    def as_json(self) -> dict[str, Any]:
        """Return one document."""
        return {**asdict(self), "modes": [asdict(row) for row in self.rows()]}


def _speed(group: Sequence[Round]) -> float:
    return median(one.tokens_per_second for one in group)


def _row(group: Sequence[Round], best: dict[str, float]) -> Row:
    first, speed = group[0], _speed(group)
    seconds = first.tokens / speed
    return Row(
        mode=first.mode,
        width=first.width,
        images=first.images,
        tokens=first.tokens,
        cpu_seconds=median(one.spent.cpu for one in group),
        wall_seconds=median(one.spent.wall for one in group),
        images_per_second=first.images / seconds,
        tokens_per_second=speed,
        times_faster={mode: speed / best[mode] for mode in BASELINES if mode in best},
        occupancy=median(one.occupancy for one in group),
        roofline=first.least_seconds / seconds,
        peak_bytes=max(one.spent.peak for one in group),
        texts_compared=first.texts_compared,
        texts_equal=min(one.texts_equal for one in group),
    )


def table(findings: Findings) -> Table:
    """Return it for people, one column for each mode."""
    rows = findings.rows()
    title = f"{findings.mean_length:.0f} tokens a text on average, medians of the rounds"
    drawn = Table(Column(no_wrap=True), title=title)
    for row in rows:
        drawn.add_column(f"{row.mode}\n{row.width}", justify="right", no_wrap=True)
    for name, cell in _LINES.items():
        drawn.add_row(name, *map(cell, rows))
    return drawn


_LINES: dict[str, Callable[[Row], str]] = {
    "images": lambda row: f"{row.images:,}",
    "tokens": lambda row: f"{row.tokens:,}",
    "CPU seconds": lambda row: f"{row.cpu_seconds:,.1f}",
    "wall seconds": lambda row: f"{row.wall_seconds:,.1f}",
    "images/s": lambda row: f"{row.images_per_second:.3f}",
    "tokens/s": lambda row: f"{row.tokens_per_second:,.1f}",
    "times batch1": lambda row: _times(row, "batch1"),
    "times static": lambda row: _times(row, "static"),
    "times static_cache": lambda row: _times(row, "static_cache"),
    "occupancy": lambda row: f"{row.occupancy:.0%}",
    "of the roofline": lambda row: f"{row.roofline:.1%}",
    "peak GB": lambda row: f"{row.peak_bytes / _GIGABYTE:.2f}",
    "texts as batch1": lambda row: f"{row.texts_equal} of {row.texts_compared}",
}


def _times(row: Row, baseline: str) -> str:
    return f"{row.times_faster[baseline]:.2f}" if baseline in row.times_faster else ""
