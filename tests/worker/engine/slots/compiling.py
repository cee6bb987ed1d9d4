"""The kernel compiled for an H200, on a machine that need not have one.

The interpreter takes what the compiler refuses; ``python -m tests.worker.engine.slots.compiling``
writes, as JSON, the instructions of each case.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

from triton.backends.compiler import GPUTarget
from triton.runtime import driver

from tests.worker.engine.slots.attending import CASES, asked, attended
from worker.engine.slots import kernel


class AbsentGPU:
    """What is compiled depends on its kind alone."""

    def get_current_device(self) -> int:
        return 0

    def get_current_stream(self, _device: int) -> int:
        return 0

    def get_current_target(self) -> GPUTarget:
        return GPUTarget("cuda", 90, 32)


class Unlaunched:
    """Stands for the kernel: compiled with what it is called with, and left at that."""

    def __init__(self) -> None:
        self._kernel: Any = kernel._attend
        self.instructions: list[str] = []

    def __getitem__(self, grid: tuple[int, ...]) -> Callable[..., None]:
        def compiled(*given: Any, **fixed: Any) -> None:
            made = self._kernel.warmup(*given, grid=grid, **fixed)
            self.instructions.append(made.asm["ptx"])

        return compiled


def instructions() -> dict[str, str]:
    """Return PTX by the name of the case; ptxas has made a program of it, too."""
    driver.set_active(AbsentGPU())
    kernel._attend = unlaunched = Unlaunched()
    for case in CASES.values():
        attended(asked(case, "cpu"))
    return dict(zip(CASES, unlaunched.instructions, strict=True))


if __name__ == "__main__":
    json.dump(instructions(), sys.stdout)
