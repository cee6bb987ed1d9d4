"""The peak memory of every process of a stack."""

import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

_EVERY = 0.5
_PAGE = os.sysconf("SC_PAGE_SIZE")

_PEAK = re.compile(r"VmHWM:\s+(\d+) kB")
"""Of one process alone; what `resource` tells begins with the parent's."""


def own_peak() -> int:
    """Return the most bytes that were resident in this process."""
    return int(_PEAK.findall(Path("/proc/self/status").read_text())[0]) * 1024


class Memory:
    """Looks at all processes below this one, twice a second, and remembers the largest of a kind.

    What is measured is the resident set, which counts shared pages for each process again.
    """

    def __init__(self) -> None:
        self.peaks: dict[str, int] = {}
        """Kind of process -> bytes."""
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(_EVERY):
            for pid in _below(os.getpid()):
                self._look_at(pid)

    def _look_at(self, pid: int) -> None:
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
            resident = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
        except (OSError, IndexError):
            return
        kind = _kind(command)
        self.peaks[kind] = max(self.peaks.get(kind, 0), resident)


def _below(pid: int) -> Iterator[int]:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [child for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return
    for child in map(int, children):
        yield child
        yield from _below(child)


_KINDS = {
    "worker.images.child": "picture decoder",
    "gpu@": "model worker, main",
    "cpu@": "cpu worker, main",
    "spawn_main": "worker, pool",
    "celeryd": "worker, pool",
    "-m api": "api",
    "sweep": "sweep",
    "redis": "redis",
    "rclone": "s3",
    "postgres": "postgres",
}


def _kind(command: str) -> str:
    return next((kind for part, kind in _KINDS.items() if part in command), "other")
