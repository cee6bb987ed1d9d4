"""Handing work over to a thread, so that whoever brings it need not wait."""

import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Generic, Self, TypeVar

T = TypeVar("T")


class Backlog(Generic[T]):
    """A thread that works off all that has come together, again and again.

    Whoever adds waits only while too much waits already. What breaks the thread is raised by
    the next ``add``, or when the block is left; everything is worked off before.
    """

    def __init__(
        self,
        work: Callable[[Sequence[T]], None],
        *,
        most: int,
        tick: Callable[[], None],
        seconds: float,
    ) -> None:
        self._work = work
        self._most = most
        self._tick = tick
        self._seconds = seconds
        self._ticked = time.monotonic()
        self._changed = threading.Condition()
        self._waiting: list[T] = []
        self._is_closed = False
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="backlog", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self._thread.join()
        if kind is None and self._error is not None:
            raise self._error

    def add(self, more: Sequence[T]) -> None:
        """Leave work for the thread.

        Raises:
            Exception: what broke the thread.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._error or len(self._waiting) < self._most)
            if self._error is not None:
                raise self._error
            self._waiting += more
            self._changed.notify_all()

    def _run(self) -> None:
        try:
            while (work := self._next()) is not None:
                if work:
                    self._work(work)
                self._tick_sometimes()
        except Exception as error:  # noqa: BLE001  (the edge of a thread)
            with self._changed:
                self._error = error
                self._changed.notify_all()

    def _next(self) -> list[T] | None:
        """Return all that waits, nothing when it is time for a tick, None at the end."""
        left = self._ticked + self._seconds - time.monotonic()
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_closed, timeout=max(0, left))
            if self._is_closed and not self._waiting:
                return None
            work, self._waiting = self._waiting, []
            self._changed.notify_all()
            return work

    def _tick_sometimes(self) -> None:
        if time.monotonic() - self._ticked >= self._seconds:
            self._ticked = time.monotonic()
            self._tick()
