"""What a training run keeps on disk: where it stands, and a log of one line per report."""

import json
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn


class Progress:
    """One stage of a training that may be cut off and resumed at any step."""

    def __init__(
        self, folder: Path, stage: str, modules: nn.Module, *, rate: float, steps: int
    ) -> None:
        self.modules, self.steps, self.rate = modules, steps, rate
        self.optimizer = torch.optim.AdamW(
            modules.parameters(), lr=rate, betas=(0.9, 0.98), weight_decay=0.02
        )
        self.step, self.seconds = 0, 0.0
        self._file, self._log, self._stage = folder / f"{stage}.pt", folder / "log.jsonl", stage
        self._since = time.monotonic()
        if self._file.exists():
            self._resume()

    def advance(self, loss: torch.Tensor) -> None:
        """Take one step down the loss; the rate warms up, then falls along a cosine."""
        warm = min(1.0, (self.step + 1) / 100)
        fall = 0.03 + 0.97 * (1 + math.cos(math.pi * self.step / self.steps)) / 2
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate * warm * fall
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
