"""Keeping a worker fed: claim a few items at a time, and fetch ahead of whoever works on them."""

import os
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Generic, Self, TypeVar

import structlog
from sqlalchemy.exc import OperationalError

from predella import db, queue
from predella.models import Stage
from predella.services import ledger
from predella.services.ledger import Claimed
from worker.hand import Hand, Portion
from worker.heart import Heart
from worker.settle import patiently
from worker.shift import Shift

R = TypeVar("R")
T = TypeVar("T")
WORKER = f"{socket.gethostname()}:{os.getpid()}"
_PATIENCE = 0.05
"""Seconds that a portion waits for company when whoever works has nothing else to do."""
_PAUSE = 0.2
"""Seconds between two looks at the shift, or at a ledger in which nothing was ready."""
_TASKS = {Stage.PREPARE: queue.PREPARE, Stage.ANALYZE: queue.ANALYZE}

log = structlog.get_logger()


@dataclass(frozen=True)
class Plan(Generic[T]):
    """How one stage is fed."""

    stage: Stage
    fetch: Callable[[Claimed], T]
    """Runs in a thread; what it raises is kept for whoever works on the item."""
    claim: int
    """The most items that are claimed at once."""
    ahead: int
    """The most portions that are on their way or ready, and not taken yet."""
    hand: int
    """The most items in hand, whatever is happening to them."""
    threads: int
    """How many portions are fetched at once."""
    lease_seconds: float
    sift: Callable[[Sequence[Claimed]], Sequence[Claimed]] = field(default=lambda items: items)
    """Settles what needs no work and returns the rest of a claim; runs in the claiming thread."""
    name: Callable[[Claimed], Hashable] = field(default=lambda item: item.id)
    """Items of one name share one portion."""


class Feed(Generic[T]):
    """Portions, for as long as there are any and the shift lasts.

    A thread claims and sifts, others fetch: whoever takes portions never waits for the database
    or the store while something is ready. Everything claimed stays in hand, its lease alive,
    until it is reported settled; what is not when the feed is left, for whatever reason, is
    given back: that attempt does not count. A suspect is only taken in hand alone.
    """

    def __init__(self, plan: Plan[T], shift: Shift) -> None:
        self._plan = plan
        self._shift = shift
        self._changed = threading.Condition()
        self._hand = Hand[T]()
        self._fetching = 0
        self._ready: deque[Portion[T]] = deque()
        self._lost: list[Portion[T]] = []
        self._ledger_has_more = self._has_ended = self._has_rung = False
        self._next_look = 0.0
        self._closed = threading.Event()
        self._error: Exception | None = None
        self._fetchers = ThreadPoolExecutor(plan.threads, thread_name_prefix=plan.stage)
        self._claimer = threading.Thread(target=self._claim_on, name="claimer", daemon=True)
        self._heart = Heart(self._held, plan.lease_seconds, lose=self._lose)
        self.starved = 0.0
        """Seconds that :meth:`take` waited while it was known that there was more."""

    def __enter__(self) -> Self:
        self._heart.__enter__()
        self._claimer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._changed:
            self._closed.set()
            self._changed.notify_all()
        self._fetchers.shutdown(wait=False, cancel_futures=True)
        self._claimer.join()
        self._heart.__exit__(kind, error, trace)
        self._give_back()
        if error is None and self._shift.is_over:
            self._ring()

    @property
    def has_more(self) -> bool:
        """Whether there is work that is not ready yet: being fetched, or seen in the ledger."""
        return self._fetching > 0 or self._ledger_has_more

    def take(self, limit: int, *, wait: bool) -> list[Portion[T]]:
        """Return up to so many portions that are ready.

        With ``wait`` there are none only when nothing is in hand and nothing is to be had any
        more, or the worker is being stopped.

        Raises:
            OperationalError: the database was away for as long as a lease lasts.
        """
        with self._changed:
            if wait:
                self._wait_for(limit)
            if self._error is not None:
                raise self._error
            if self._shift.is_stopped:
                return []
            taken = [self._ready.popleft() for _ in range(min(limit, len(self._ready)))]
            self._changed.notify_all()
            return taken

    def sharing(self, portion: Portion[T]) -> list[Claimed]:
        """Return the items that share a portion now."""
        with self._changed:
            return list(portion.items)

    def settled(self, portion: Portion[T], items: Sequence[Claimed]) -> list[Claimed]:
        """Let go of these items; return those that came to share the portion meanwhile.

        They are to be settled in the same way.
        """
        with self._changed:
            self._changed.notify_all()
            return self._hand.settle(portion, items)

    def lost(self) -> list[Portion[T]]:
        """Return portions that were taken and that, since last asked, nobody waits for any more."""
        if not self._lost:
            return []
        with self._changed:
            lost, self._lost = self._lost, []
            return lost

    def _wait_for(self, limit: int) -> None:
        """Return when so many are ready, or some and no reason to wait, or when none will come."""
        waited = 0.0
        while len(self._ready) < limit and not self._is_over():
            if self._ready and (waited >= _PATIENCE or not self.has_more):
                return
            started, is_starved = time.monotonic(), self.has_more
            self._changed.wait(_PATIENCE if self._ready else _PAUSE)
            seconds = time.monotonic() - started
            waited += seconds if self._ready else 0.0
            self.starved += seconds if is_starved else 0.0

    def _is_over(self) -> bool:
        return self._shift.is_stopped or (self._has_ended and not self._fetching)

    def _claim_on(self) -> None:
        """Claim until nothing is left; what breaks this thread is raised by ``take``."""
        try:
            while self._wants_more() and self._claim():
                pass
        except Exception as error:  # noqa: BLE001  (the edge of a thread)
            self._error = error
        with self._changed:
            self._has_ended, self._ledger_has_more = True, False
            self._changed.notify_all()

    def _wants_more(self) -> bool:
        """Wait until it is time for a claim; False when it is time for none any more."""
        with self._changed:
            while not (self._closed.is_set() or self._shift.is_over):
                if not self._hand or (self._has_room() and time.monotonic() >= self._next_look):
                    return True
                self._changed.wait(_PAUSE)
            return False

    def _has_room(self) -> bool:
        ahead = self._fetching + len(self._ready)
        most = min(self._plan.ahead - ahead, self._plan.hand - len(self._hand))
        return self._plan.claim <= most and not self._hand.has_suspect

    def _claim(self) -> bool:
        """Claim once; False when nothing is in hand and nothing is to be had."""
        dares = not self._hand
        claimed = self._patiently(partial(self._lease, suspects=dares))
        with self._changed:
            self._hand.take(claimed)
            self._ledger_has_more = len(claimed) == self._plan.claim
            self._next_look = 0.0 if self._ledger_has_more else time.monotonic() + _PAUSE
        self._admit(claimed)
        if self._ledger_has_more:
            self._ring()
        return bool(claimed) or not dares

    def _lease(self, *, suspects: bool) -> list[Claimed]:
        with db.transaction() as session:
            return ledger.claim(
                session,
                self._plan.stage,
                worker=WORKER,
                limit=self._plan.claim,
                lease_seconds=self._plan.lease_seconds,
                suspects=suspects,
            )

    def _admit(self, claimed: Sequence[Claimed]) -> None:
        """Have fetched what is to be worked on and is not on its way for another item."""
        with self._changed:
            new = [item for item in claimed if not self._hand.share(item, self._plan.name(item))]
        kept = self._patiently(partial(self._plan.sift, new)) if new else ()
        with self._changed:
            self._hand.let_go([item for item in new if item not in kept])
            for item in kept:
                if not self._hand.share(item, name := self._plan.name(item)):
                    self._fetch(self._hand.begin(item, name))
            self._changed.notify_all()

    def _fetch(self, portion: Portion[T]) -> None:
        if self._closed.is_set():
            return
        self._fetching += 1
        portion.future = self._fetchers.submit(self._plan.fetch, portion.item)
        portion.future.add_done_callback(lambda _: self._arrive(portion))

    def _arrive(self, portion: Portion[T]) -> None:
        with self._changed:
            self._fetching -= 1
            if portion.items:
                self._ready.append(portion)
            self._changed.notify_all()

    def _patiently(self, work: Callable[[], R]) -> R:
        return patiently(work, seconds=self._plan.lease_seconds, stopped=self._closed)

    def _ring(self) -> None:
        """Wake one more worker, once: there is more to do than this one holds.

        When none is free, the message waits and takes over when this shift is over.
        """
        if not self._has_rung:
            self._has_rung = True
            queue.ring(_TASKS[self._plan.stage])

    def _held(self) -> list[Claimed]:
        with self._changed:
            return self._hand.items

    def _lose(self, gone: Sequence[Claimed]) -> None:
        """Drop what was taken away."""
        with self._changed:
            self._lost += self._hand.lose(gone)
            self._ready = deque(portion for portion in self._ready if portion.items)
            self._changed.notify_all()

    def _give_back(self) -> None:
        held = self._hand.items
        if not held:
            return
        try:
            with db.transaction() as session:
                given = ledger.release(session, held)
        except OperationalError as error:
            log.warning("give_back_failed", count=len(held), error=str(error.orig))
        else:
            log.info("gave_back", stage=self._plan.stage, count=len(given))
