"""The batch engine against what transformers does by itself: same model, same lengths, one run."""

import gc
import os
import platform
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import mean
from typing import Any

import torch
import transformers

from worker.bench import models, roofline
from worker.bench.errors import UnmeasurableError
from worker.bench.findings import Findings, Round
from worker.bench.lengths import CAP, lengths
from worker.bench.meter import Meter
from worker.bench.models import PROMPT, SIZES
from worker.bench.modes import Job, Mode, Slots, Static, Texts
from worker.bench.roofline import Ceilings, Stored
from worker.engine.slots import SlotConfig
from worker.engine.slots.attention import fastest
from worker.engine.slots.config import FP8

MODES = ("batch1", "static", "static_cache", "slots", "slots_fp8")
_WARM = 8
"""Tokens of a text that is written only to have everything compiled and at hand."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is compared, on what."""

    shape: str
    images: int
    batch1_images: int
    static_images: int
    modes: tuple[str, ...]
    static: tuple[int, ...]
    """Batch sizes, of which the best counts."""
    static_cache: tuple[int, ...]
    slots: tuple[int, ...]
    refill: int
    rounds: int
    median: int
    seed: int
    device: str
    dtype: str
    threads: int
    check: bool

    def __post_init__(self) -> None:
        if unknown := [mode for mode in self.modes if mode not in MODES]:
            raise UnmeasurableError(f"no mode {', '.join(unknown)}; there are {', '.join(MODES)}")
        if self.check and (self.dtype != "float32" or "batch1" not in self.modes):
            raise UnmeasurableError("--check needs --dtype float32 and the mode batch1")
        if self.device.startswith("cuda") and not torch.cuda.is_available():
            raise UnmeasurableError("this machine has no CUDA device; try --device cpu")
        for mode, width in self.contenders():
            self._check_enough(mode, width)

    def _check_enough(self, mode: str, width: int) -> None:
        taken = self.images_of(mode)
        if not 1 <= width <= taken <= self.images:
            raise UnmeasurableError(
                f"{mode} cannot take {taken} of {self.images} images, {width} at a time"
            )

    def contenders(self) -> list[tuple[str, int]]:
        """Return each mode with each of its widths, first what the others are compared with."""
        widths = {"batch1": (1,), "static": self.static, "static_cache": self.static_cache}
        return [
            (mode, width)
            for mode in MODES
            if mode in self.modes
            for width in widths.get(mode, self.slots)
        ]

    def images_of(self, mode: str) -> int:
        """Return how many it may write about."""
        match mode:
            case "batch1":
                return self.batch1_images
            case "static" | "static_cache":
                return self.static_images
            case _:
                return self.images


def run(plan: Plan, report: Callable[[str], None]) -> Iterator[Findings]:
    """Yield what is known after every measurement: the last one can be hours away.

    Modes take turns, so that a busy minute harms all of them alike.
    """
    torch.set_num_threads(plan.threads)
    bench = _Bench(plan)
    report(f"ceilings of this machine in {plan.dtype}")
    ceilings = roofline.measure(plan.device, bench.dtype)
    findings = Findings(asdict(plan), _machine(plan), ceilings, mean(bench.lengths), [])
    for number in range(plan.rounds):
        for mode, width in plan.contenders():
            report(f"round {number + 1} of {plan.rounds}: {mode} {width}")
            findings.rounds.append(bench.measure(mode, width, ceilings))
            yield findings


class _Bench:
    """One model, and what is to be written with it."""

    def __init__(self, plan: Plan) -> None:
        self.dtype: torch.dtype = getattr(torch, plan.dtype)
        self.lengths = lengths(plan.images, median=plan.median, seed=plan.seed)
        self._plan = plan
        self._size = SIZES[plan.shape]
        self._model = models.build(self._size, device=plan.device, dtype=self.dtype, seed=plan.seed)
        self._prompt = models.prompt_ids(self._size.vocabulary, plan.seed)
        self._jobs = [
            Job(number, models.picture(number, plan.seed), length)
            for number, length in enumerate(self.lengths)
        ]
        self._meter = Meter(plan.device)
        self._one_by_one: Texts = {}

    def measure(self, mode: str, width: int, ceilings: Ceilings) -> Round:
        """Write once in this mode, from scratch."""
        jobs = self._jobs_of(mode, width)
        with self._meter.measured() as setup:
            writer = self._writer(mode, width)
            writer.write([replace(job, length=_WARM) for job in jobs[:width]])
        with self._meter.measured() as spent:
            texts = writer.write(jobs)
        if mode == "batch1":
            self._one_by_one = texts
        done = Round(
            mode=mode,
            width=width,
            images=len(jobs),
            tokens=sum(map(len, texts.values())),
            spent=spent,
            setup_seconds=setup.wall,
            occupancy=writer.occupancy,
            least_seconds=self._least_seconds(mode, width, jobs, ceilings),
            texts_compared=len(texts.keys() & self._one_by_one.keys()),
            texts_equal=sum(self._is_same(*text) for text in texts.items()),
        )
        del writer
        self._tidy()
        return done

    def _jobs_of(self, mode: str, width: int) -> list[Job]:
        """Return what this mode writes about; whole batches, since another size compiles anew."""
        count = self._plan.images_of(mode)
        if mode == "batch1":
            return _typical(self._jobs, count)
        return self._jobs[: count - count % width if mode.startswith("static") else count]

    def _writer(self, mode: str, width: int) -> Mode:
        match mode:
            case "slots" | "slots_fp8":
                return Slots(self._model, self._prompt, self._config(mode, width))
            case "static_cache":
                return Static(self._model, self._prompt, cache="static", width=width)
            case _:
                return Static(self._model, self._prompt, cache=None, width=width)

    def _config(self, mode: str, width: int) -> SlotConfig:
        is_cuda = self._plan.device.startswith("cuda")
        return SlotConfig(
            slots=width,
            capacity=PROMPT + CAP,
            refill=self._plan.refill,
            block=4 if is_cuda else 1,
            attention=fastest(self._model, PROMPT),
            cache_dtype=FP8 if mode == "slots_fp8" else None,
        )

    def _least_seconds(
        self, mode: str, width: int, jobs: Sequence[Job], ceilings: Ceilings
    ) -> float:
        one = self.dtype.itemsize
        stored = Stored(weight=one, cached=FP8.itemsize if mode == "slots_fp8" else one)
        lengths = [job.length for job in jobs]
        return roofline.least_seconds(
            self._size, lengths, width=width, stored=stored, ceilings=ceilings
        )

    def _is_same(self, number: Hashable, text: Sequence[int]) -> bool:
        """Whether one at a time gave it, too; in some modes the last token is a forced end."""
        return text[:-1] == self._one_by_one.get(number, [])[:-1]

    def _tidy(self) -> None:
        """Give back what would be missing in the next mode."""
        vars(self._model).pop("_cache", None)  # older transformers keep a static one
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def _typical(jobs: Sequence[Job], count: int) -> list[Job]:
    """Return a few whose texts are, together, neither long nor short for these jobs."""
    ordered = sorted(jobs, key=lambda job: job.length)
    return [ordered[(2 * part + 1) * len(jobs) // (2 * count)] for part in range(count)]


def _machine(plan: Plan) -> dict[str, Any]:
    is_cuda = plan.device.startswith("cuda")
    return {
        "cores": os.cpu_count(),
        "gpu": torch.cuda.get_device_name() if is_cuda else None,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
    }
