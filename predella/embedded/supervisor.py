"""Keeps processes alive while we live, and ends them in order when we end."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from predella.embedded.process import Process
from predella.errors import PredellaError

_LOOK_EVERY = 0.2
_LONG_LIFE = 30.0
_LONGEST_PAUSE = 15.0
_PATIENCE = 20.0
"""What the model works on may still be finished."""

Report = Callable[[str], None]
"""Takes one line for whoever watches."""


class Part(Protocol):
    """A service or an application that runs as one process."""

    @property
    def name(self) -> str:
        """As people and log files call it."""

    @property
    def process(self) -> Process:
        """The one that is watched."""

    @property
    def address(self) -> str:
        """Where it is, or where to look."""

    def launch(self) -> None:
        """Start it, whatever became of it before."""

    def wait_until_ready(self) -> None:
        """Return once it can be used."""


@dataclass
class _Watched:
    part: Part
    launched: float
    quick_deaths: int = 0
    due: float | None = None
    """When it is launched again; None while it lives."""


class Supervisor:
    """Starts parts, launches those again that die, stops all in reverse order.

    A part that keeps dying is launched again after ever longer pauses, up to 15 s.
    """

    def __init__(self, report: Report) -> None:
        self._report = report
        self._watched: list[_Watched] = []
        self._busy = threading.Lock()
        self._over = threading.Event()
        # What it launches ends with it: it ends last.
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        self._thread.start()

    def start(self, *parts: Part) -> None:
        """Return once all are ready; from now on they are kept alive."""
        with self._busy:
            for part in parts:
                self._watched.append(_Watched(part, time.monotonic()))
                part.launch()
            for part in parts:
                part.wait_until_ready()
                self._report(f"{part.name:<14} {part.address}")

    def stop(self) -> None:
        """Ask all, the newest first, then wait; whatever does not end in time is killed."""
        with self._busy:
            for watched in reversed(self._watched):
                watched.part.process.ask_to_stop()
            while self._watched:
                part = self._watched.pop().part
                part.process.stop(seconds=_PATIENCE)
                self._report(f"{part.name:<14} stopped")
            self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(_LOOK_EVERY):
            with self._busy:
                for watched in self._watched:
                    self._look_at(watched)

    def _look_at(self, watched: _Watched) -> None:
        process, now = watched.part.process, time.monotonic()
        if process.pid is not None:
            return
        if watched.due is None:
            self._plan(watched, f"ended (exit code {process.exit_code})")
        elif now >= watched.due:
            watched.due, watched.launched = None, now
            try:
                watched.part.launch()
            except (OSError, PredellaError) as error:
                self._plan(watched, f"cannot start: {error}")

    def _plan(self, watched: _Watched, what: str) -> None:
        now = time.monotonic()
        quick = now - watched.launched < _LONG_LIFE
        watched.quick_deaths = watched.quick_deaths + 1 if quick else 0
        pause = min(0.25 * 2**watched.quick_deaths, _LONGEST_PAUSE)
        watched.due = now + pause
        self._report(f"{watched.part.name:<14} {what}; is started again in {pause:.1f} s")
