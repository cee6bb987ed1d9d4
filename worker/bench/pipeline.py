"""The whole way of prepared pictures through a model worker, against its engine alone."""

import os
import tempfile
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, Literal

from rich.table import Column, Table

from predella import db, storage
from predella.services import runs
from predella.settings import Settings
from worker import analyzing
from worker.bench import checkpoint, house
from worker.bench.checkpoint import MeasuredLengths
from worker.bench.errors import UnmeasurableError
from worker.bench.lengths import CAP, lengths
from worker.engine import load
from worker.engine.asking import Asking
from worker.engine.llava import Llava
from worker.engine.prompts import FORMAL_ANALYSIS
from worker.engine.protocol import Engine, Generation, Request
from worker.engine.writing import device_of, dtype_of
from worker.shift import Shift

Way = Literal["pipeline", "engine"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is run, and on what."""

    images: int
    rounds: int
    model: Path
    shape: str | None
    """Random weights of this shape instead of the model."""
    slots: int | None
    device: str
    dtype: Literal["auto", "float16", "bfloat16", "float32"]
    median: int
    """Tokens of a text, where the weights are random."""


@dataclass(frozen=True, slots=True)
class Round:
    """One way measured once."""

    way: Way
    images: int
    tokens: int
    seconds: float
    engine_seconds: float
    starved_seconds: float
    occupancy: float

    @property
    def images_per_second(self) -> float:
        """Return how fast it was, by the clock on the wall."""
        return self.images / self.seconds


@dataclass(frozen=True, slots=True)
class Findings:
    """All of it, with what was asked and where."""

    asked: dict[str, Any]
    machine: dict[str, Any]
    rounds: list[Round]

    def of(self, way: Way) -> list[Round]:
        """Return what one way was like, round by round."""
        return [one for one in self.rounds if one.way == way]

    @property
    def ratio(self) -> float:
        """Return the speed of the pipeline as a share of the engine's alone."""
        return self.speed("pipeline") / self.speed("engine")

    def speed(self, way: Way) -> float:
        """Return images/s, the median of the rounds."""
        return median(one.images_per_second for one in self.of(way))

    def as_json(self) -> dict[str, Any]:
        """Return one document."""
        speeds = {"pipeline": self.speed("pipeline"), "engine": self.speed("engine")}
        return {**asdict(self), "images_per_second": speeds, "ratio": self.ratio}


def run(plan: Plan, report: Callable[[str], None]) -> Findings:
    """Measure both ways in turn; everything is loaded, started and warm before.

    Raises:
        UnmeasurableError: pictures went missing on the way, so there is nothing to compare.
    """
    rounds = []
    with house.opened(report) as settings, _model(plan, settings) as engine:
        report("painting")
        pngs = house.pictures(plan.images)
        asking = Asking(engine)
        opened = [asking.open(Request(png, FORMAL_ANALYSIS)) for png in pngs]
        report("warming up")
        _write(engine, opened[: engine.batch_size])
        for number in range(plan.rounds):
            house.hand_in(pngs, settings)
            report(f"round {number + 1} of {plan.rounds}: the pipeline")
            rounds.append(_pipeline(engine, plan.images, settings))
            report(f"round {number + 1} of {plan.rounds}: the engine alone")
            rounds.append(_write(engine, opened))
        machine = {"cores": os.cpu_count(), "device": engine.device, "slots": engine.batch_size}
    return Findings({**asdict(plan), "model": str(plan.model)}, machine, rounds)


@contextmanager
def _model(plan: Plan, settings: Settings) -> Iterator[Engine]:
    chosen = {"slots": plan.slots, "device": plan.device, "dtype": plan.dtype}
    if plan.shape is None:
        yield load(settings.model_copy(update={**chosen, "model_dir": plan.model}))
        return
    device = device_of(plan.device)
    dtype = dtype_of(plan.dtype, device, on_gpu="float16")
    with tempfile.TemporaryDirectory(prefix="predella-bench-") as folder:
        checkpoint.write(Path(folder), plan.shape, device=device, dtype=dtype, seed=0)
        llava = Llava(Path(folder), device=plan.device, dtype=plan.dtype, max_new_tokens=CAP)
        engine = MeasuredLengths(llava, slots=plan.slots)
        engine.lengths = lengths(plan.images, median=plan.median, seed=0)
        yield engine


def _pipeline(engine: Engine, images: int, settings: Settings) -> Round:
    started = time.monotonic()
    analyzing.run(store=storage.store(), engine=engine, settings=settings, shift=Shift())
    seconds = time.monotonic() - started
    with db.transaction() as session:
        (told,) = runs.latest(session, limit=1)
    if told.images != images:
        raise UnmeasurableError(f"{told.images} of {images} pictures came through")
    return Round(
        way="pipeline",
        images=told.images,
        tokens=told.tokens,
        seconds=seconds,
        engine_seconds=told.engine_seconds,
        starved_seconds=told.starved_seconds,
        occupancy=told.occupancy,
    )


def _write(engine: Engine, opened: Sequence[Any]) -> Round:
    """Have the engine write about pictures that lie in memory."""
    asking, waiting = Asking(engine), list(enumerate(opened))[::-1]
    occupied = spent = 0.0
    tokens = dict[Hashable, int]()
    began = time.monotonic()
    while waiting or not asking.is_idle:
        for _ in range(min(asking.room, len(waiting))):
            asking.put(*waiting.pop())
        started = time.monotonic()
        for key, answer in asking.step():
            tokens[key] = answer.output_tokens if isinstance(answer, Generation) else 0
        seconds = time.monotonic() - started
        spent, occupied = spent + seconds, occupied + seconds * engine.occupancy
    return Round(
        way="engine",
        images=len(opened),
        tokens=sum(tokens.values()),
        seconds=time.monotonic() - began,
        engine_seconds=spent,
        starved_seconds=0.0,
        occupancy=occupied / spent,
    )


def table(findings: Findings) -> Table:
    """Return it for people: medians of the rounds."""
    drawn = Table(Column(no_wrap=True), title=f"{findings.asked['images']:,} prepared pictures")
    ways: tuple[Way, ...] = ("engine", "pipeline")
    for name in ("engine alone", "pipeline"):
        drawn.add_column(name, justify="right", no_wrap=True)
    for name, cell in _LINES.items():
        cells = (f"{median(map(cell, findings.of(way))):,.3f}" for way in ways)
        drawn.add_row(name, *cells)
    drawn.add_row("of the engine alone", "", f"{findings.ratio:.1%}")
    return drawn


_LINES: dict[str, Callable[[Round], float]] = {
    "images/s": lambda one: one.images_per_second,
    "tokens/s": lambda one: one.tokens / one.seconds,
    "engine at work, share of the time": lambda one: one.engine_seconds / one.seconds,
    "starved, share of the time": lambda one: one.starved_seconds / one.seconds,
    "occupancy": lambda one: one.occupancy,
}
