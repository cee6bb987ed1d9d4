"""What a training run keeps on disk: where it stands, and a log of one line per report."""

import json
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from worker.training.demo import data

_REPORT_EVERY = 100


class Learner(nn.Module, ABC):
    """Something a stage of the training teaches."""

    @abstractmethod
    def loss(self, batch: list[data.Sample], number: int) -> torch.Tensor:
        """How wrong it is about a batch; `number` decides what would else be left to chance."""

    @abstractmethod
    def examine(self, held: list[data.Sample]) -> Mapping[str, Any]:
        """How it does on pictures kept apart, for the log."""


@dataclass(frozen=True)
class Schedule:
    """How long a stage lasts."""

    steps: int
    batch: int
    rate: float
    """The highest learning rate, reached after a warm-up of 100 steps."""


def learn(
    learner: Learner,
    *,
    made: list[data.Sample],
    held: list[data.Sample],
    stage: str,
    schedule: Schedule,
    seed: int,
    folder: Path,
) -> None:
    """Teach the learner in place, or go on where this stage was cut off in this folder."""
    progress = _Progress(folder, stage, learner, schedule)
    losses: list[float] = []
    while progress.step < schedule.steps:
        loss = learner.loss(data.batch(seed, made, schedule.batch, progress.step), progress.step)
        progress.advance(loss)
        losses.append(loss.item())
        if progress.step % _REPORT_EVERY == 0 or progress.step == schedule.steps:
            progress.save()
            mean = round(sum(losses) / len(losses), 4)
            progress.report({"loss": mean, **learner.examine(held)})
            losses.clear()


class _Progress:
    """Where one stage stands."""

    def __init__(self, folder: Path, stage: str, learner: Learner, schedule: Schedule) -> None:
        self.modules, self.schedule = learner, schedule
        self.optimizer = torch.optim.AdamW(
            learner.parameters(), lr=schedule.rate, betas=(0.9, 0.98), weight_decay=0.02
        )
        self.step, self.seconds = 0, 0.0
        self._file, self._log, self._stage = folder / f"{stage}.pt", folder / "log.jsonl", stage
        self._since = time.monotonic()
        if self._file.exists():
            self._resume()

    def advance(self, loss: torch.Tensor) -> None:
        """Take one step down the loss; the rate warms up, then falls along a cosine."""
        warm = min(1.0, (self.step + 1) / 100)
        fall = 0.03 + 0.97 * (1 + math.cos(math.pi * self.step / self.schedule.steps)) / 2
        for group in self.optimizer.param_groups:
            group["lr"] = self.schedule.rate * warm * fall
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.modules.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1

    def save(self) -> None:
        """Keep the stage as it stands; the file is whole at every moment."""
        self.seconds += time.monotonic() - self._since
        self._since = time.monotonic()
        unfinished = self._file.with_suffix(".part")
        state = {
            "modules": self.modules.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
        }
        torch.save(state, unfinished)
        unfinished.rename(self._file)

    def report(self, values: Mapping[str, Any]) -> None:
        """Add a line to the log."""
        line = {"stage": self._stage, "step": self.step, "seconds": round(self.seconds), **values}
        with self._log.open("a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")

    def _resume(self) -> None:
        state = torch.load(self._file, weights_only=True)
        self.modules.load_state_dict(state["modules"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.seconds = state["step"], state["seconds"]
