"""Ending a process that has come to a standstill."""

import faulthandler
import time
from types import TracebackType
from typing import Self

_STDERR = 2
_RARELY = 1.0
"""Seconds between two times that the clock is set again."""


class Guard:
    """Ends this process, with a trace of every thread on stderr, when it reports too late.

    What watches is a thread that needs no Python: it also ends a process that is stuck inside
    a library. What the process had in hand comes back when its leases have run out.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __enter__(self) -> Self:
        self._set()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        faulthandler.cancel_dump_traceback_later()

    def report(self) -> None:
        """Say that the work goes on."""
        if time.monotonic() - self._set_at > _RARELY:
            self._set()

    def _set(self) -> None:
        self._set_at = time.monotonic()
        # Celery puts something else in the place of sys.stderr.
        faulthandler.dump_traceback_later(self._seconds, exit=True, file=_STDERR)
