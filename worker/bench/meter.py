"""What a piece of work costs: seconds, and memory at its peak."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

_PROCESS = Path("/proc/self")
_FORGET_PEAK = "5"


@dataclass(slots=True)
class Spent:
    """The cost of one piece of work, known once it is done."""

    cpu: float = 0.0
    wall: float = 0.0
    seconds: float = 0.0
    """That of the two which does not grow where others work on the machine."""
    peak: int = 0
    """Bytes: of the GPU, or of this process."""


class Meter:
    """Counts the CPU's own seconds, or those until a GPU is done."""

    def __init__(self, device: str) -> None:
        self._is_cuda = device.startswith("cuda")

    @contextmanager
    def measured(self) -> Iterator[Spent]:
        """Measure what is done within."""
        self._forget_peak()
        spent = Spent()
        cpu, wall = time.process_time(), self._now()
        yield spent
        spent.wall, spent.cpu = self._now() - wall, time.process_time() - cpu
        spent.seconds = spent.wall if self._is_cuda else spent.cpu
        spent.peak = self._peak()

    def _now(self) -> float:
        if self._is_cuda:
            torch.cuda.synchronize()
        return time.perf_counter()

    def _forget_peak(self) -> None:
        if self._is_cuda:
            torch.cuda.reset_peak_memory_stats()
        else:
            (_PROCESS / "clear_refs").write_text(_FORGET_PEAK)

    def _peak(self) -> int:
        if self._is_cuda:
            return torch.cuda.max_memory_allocated()
        status = (_PROCESS / "status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) * 1024
