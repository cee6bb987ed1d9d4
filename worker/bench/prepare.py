"""What it takes to prepare large originals, against decoding them whole."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Literal

import numpy as np
from PIL import Image
from rich.box import SIMPLE_HEAD
from rich.table import Column, Table

from worker.bench import originals
from worker.bench.errors import UnmeasurableError
from worker.images.sandbox import ENVIRONMENT

Way = Literal["whole", "ours", "exact"]
Forms = Literal["model", "both"]
_RUNS: tuple[tuple[Way, Forms], ...] = (
    ("whole", "model"),
    ("ours", "model"),
    ("whole", "both"),
    ("ours", "both"),
    ("exact", "both"),
)
_MEGABYTE = 1e6


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked for."""

    megapixels: float
    kinds: Sequence[str]
    rounds: int


@dataclass(frozen=True, slots=True)
class Cost:
    """One kind of file prepared one way: medians over all rounds."""

    kind: str
    file_bytes: int
    way: Way
    """``whole`` decodes all pixels with Pillow, ``exact`` is our setting, ``ours`` the default."""
    forms: Forms
    """Whether the picture for review is made, too."""
    cpu_seconds: float
    wall_seconds: float
    peak_bytes: int
    """Resident memory of a process that does nothing else, its libraries included."""
    mean_difference: float
    """Of the model-ready picture to that of ``whole``, in levels of 255."""
    largest_difference: int


@dataclass(frozen=True, slots=True)
class Findings:
    """All of it, with what it was asked."""

    asked: Plan
    costs: list[Cost] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return asdict(self)

    def of(self, kind: str, way: Way, forms: Forms) -> Cost:
        """Return one cost."""
        return next(
            cost for cost in self.costs if (cost.kind, cost.way, cost.forms) == (kind, way, forms)
        )


def run(plan: Plan, report: Callable[[str], None]) -> Iterator[Findings]:
    """Make the originals, prepare each in every way, and tell after each what was found so far.

    Raises:
        UnmeasurableError: there is no such kind of file.
    """
    if unknown := sorted(set(plan.kinds) - set(originals.KINDS)):
        known = ", ".join(originals.KINDS)
        raise UnmeasurableError(
            f"no kind of file is called {', '.join(unknown)}; there are {known}"
        )
    findings = Findings(plan)
    report(f"painting {plan.megapixels:g} megapixels")
    picture = originals.picture(plan.megapixels)
    with tempfile.TemporaryDirectory(prefix="predella-bench-") as folder:
        for kind in plan.kinds:
            ending, write = originals.KINDS[kind]
            path = Path(folder, kind).with_suffix(ending)
            report(f"writing {kind}")
            write(picture, path)
            findings.costs.extend(_costs(kind, path, plan.rounds, report))
            path.unlink()
            yield findings


def _costs(kind: str, path: Path, rounds: int, report: Callable[[str], None]) -> list[Cost]:
    spent: dict[tuple[Way, Forms], list[dict[str, float]]] = {run: [] for run in _RUNS}
    pixels: dict[tuple[Way, Forms], Any] = {}
    for number in range(rounds):
        for way, forms in _RUNS:
            report(f"{kind}: {way}, {forms}, {number + 1} of {rounds}")
            found, pixels[way, forms] = _once(way, forms, path)
            spent[way, forms].append(found)
    return [
        Cost(
            kind=kind,
            file_bytes=path.stat().st_size,
            way=way,
            forms=forms,
            **_medians(spent[way, forms]),
            **_difference(pixels[way, forms], pixels["whole", forms]),
        )
        for way, forms in _RUNS
    ]


def _once(way: Way, forms: Forms, path: Path) -> tuple[dict[str, float], Any]:
    out = path.with_suffix(".model.png")
    command = [sys.executable, "-m", "worker.bench.once", way, forms, str(path), str(out)]
    said = subprocess.run(
        command, check=True, capture_output=True, text=True, env=ENVIRONMENT
    ).stdout
    with Image.open(out) as png:
        return json.loads(said), np.asarray(png).astype(int)


def _medians(spent: list[dict[str, float]]) -> dict[str, Any]:
    middle = {name: median(one[name] for one in spent) for name in spent[0]}
    return middle | {"peak_bytes": int(middle["peak_bytes"])}


def _difference(ours: Any, theirs: Any) -> dict[str, Any]:
    levels = np.abs(ours - theirs)
    return {
        "mean_difference": round(float(levels.mean()), 3),
        "largest_difference": int(levels.max()),
    }


def table(findings: Findings) -> Table:
    """Return it for people: decoded whole / ours, and how many times less that is."""
    drawn = Table(
        *(Column("kind", no_wrap=True), Column("forms", no_wrap=True)),
        title=f"{findings.asked.megapixels:g} megapixels, decoded whole / ours",
        box=SIMPLE_HEAD,
    )
    for name in ("CPU s", "less", "peak MB", "less", "off"):
        drawn.add_column(name, justify="right", no_wrap=True)
    forms: tuple[Forms, ...] = ("model", "both")
    for kind in findings.asked.kinds:
        for form in forms:
            drawn.add_row(kind, form, *_cells(findings, kind, form))
    return drawn


def _cells(findings: Findings, kind: str, forms: Forms) -> list[str]:
    whole, ours = findings.of(kind, "whole", forms), findings.of(kind, "ours", forms)
    return [
        f"{whole.cpu_seconds:.2f} / {ours.cpu_seconds:.2f}",
        f"{whole.cpu_seconds / ours.cpu_seconds:.1f}",
        f"{whole.peak_bytes / _MEGABYTE:,.0f} / {ours.peak_bytes / _MEGABYTE:,.0f}",
        f"{whole.peak_bytes / ours.peak_bytes:.1f}",
        f"{ours.mean_difference:.2f} / {ours.largest_difference}",
    ]
