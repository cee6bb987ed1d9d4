"""The engine's side of a run: keep it full, and hand on what comes to its end."""

import time
from collections.abc import Callable, Sequence
from typing import cast

import structlog

from predella.errors import PredellaError
from predella.services.runs import Work
from predella.settings import Settings
from worker.engine.asking import Asking
from worker.engine.protocol import Answer, Engine
from worker.feed import Feed
from worker.guard import Guard
from worker.hand import Portion
from worker.reading import Picture
from worker.recording import Finished
from worker.report import Report
from worker.settle import retry
from worker.shift import Shift

_STANDSTILL_SECONDS = 1200
"""A round takes milliseconds with a slot engine, minutes with large batches on a CPU."""
_GRACE_SECONDS = 20
"""Less than the 30 s after which an orchestrator kills what it has told to stop."""
_ENGINE_FAILED = {
    "code": "engine_failed",
    "sentence": "the model failed while it worked on this image, or on others beside it",
}

_Answers = list[tuple[Portion[Picture], Answer]]

log = structlog.get_logger()


class EngineBrokenError(PredellaError):
    """The engine failed as a whole; the process that holds it should be replaced."""


class Rounds:
    """Take what the engine has room for, let it work a little, hand on what is finished.

    It waits for nothing else, whatever the database and the store are doing.
    """

    def __init__(
        self,
        engine: Engine,
        feed: Feed[Picture],
        hand_on: Callable[[Sequence[Finished]], None],
        *,
        report: Report,
        settings: Settings,
    ) -> None:
        self._engine = engine
        self._asking = Asking(engine)
        self._feed = feed
        self._hand_on = hand_on
        self._report = report
        self._settings = settings
        self._inside: dict[Portion[Picture], float] = {}
        # Some engines let a few wait beside those that they work on.
        self._antechamber = self._asking.room - engine.batch_size

    def go(self, shift: Shift) -> None:
        """Go round until nothing is left or the worker is being stopped.

        What is in the engine then is finished, if that does not take long; the rest is left
        to be given back.

        Raises:
            EngineBrokenError: what was in the engine is put back, as tried.
        """
        with Guard(_STANDSTILL_SECONDS) as guard:
            try:
                while not shift.is_stopped and self._go_round():
                    guard.report()
                self._finish(shift)
            finally:
                self._clear()

    def _go_round(self) -> bool:
        is_idle, room, starved = self._asking.is_idle, self._asking.room, self._feed.starved
        taken = self._feed.take(room, wait=is_idle) if room else []
        if is_idle:
            self._report.add(Work(starved_seconds=self._feed.starved - starved))
        self._cancel_lost()
        self._put(taken)
        self._step()
        return bool(taken) or not is_idle

    def _cancel_lost(self) -> None:
        for portion in self._feed.lost():
            if self._inside.pop(portion, None) is not None:
                self._asking.cancel(portion)

    def _put(self, taken: Sequence[Portion[Picture]]) -> None:
        for portion in taken:
            if portion.error is None:
                self._inside[portion] = time.monotonic()
                self._asking.put(portion, portion.value.opened)
        self._hand_on([Finished(portion) for portion in taken if portion.error is not None])

    def _step(self) -> None:
        if not self._inside:
            return
        started, empty = time.monotonic(), self._empty()
        try:
            answers = cast(_Answers, self._asking.step())
        except Exception as error:
            log.exception("engine_failed", pictures=len(self._inside))
            self._put_back()
            raise EngineBrokenError from error
        now = time.monotonic()
        seconds = now - started
        self._report.add(
            Work(
                engine_seconds=seconds,
                occupied_seconds=seconds * self._engine.occupancy,
                starved_seconds=seconds * empty,
            )
        )
        self._hand_on([Finished(key, one, now - self._inside.pop(key)) for key, one in answers])

    def _empty(self) -> float:
        """Return the share of the places that stand empty though there is more to be had."""
        if not self._feed.has_more:
            return 0.0
        return max(0, self._asking.room - self._antechamber) / self._engine.batch_size

    def _put_back(self) -> None:
        for portion in self._inside:
            for item in self._feed.sharing(portion):
                retry(item, **_ENGINE_FAILED, settings=self._settings)
        self._inside = {}

    def _finish(self, shift: Shift) -> None:
        deadline = time.monotonic() + _GRACE_SECONDS
        while self._inside and not shift.is_abandoned and time.monotonic() < deadline:
            self._step()

    def _clear(self) -> None:
        """Leave the engine empty: it outlives this run."""
        for portion in self._inside:
            self._asking.cancel(portion)
