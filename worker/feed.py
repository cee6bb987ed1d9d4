"""Keeping a worker fed: claim small groups, and fetch them ahead of whoever works on them."""

import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from types import TracebackType
from typing import Generic, Self, TypeVar

import structlog
from sqlalchemy.exc import OperationalError

from predella import db, queue
from predella.ids import LeaseToken
from predella.models import Stage
from predella.services import ledger
from predella.services.ledger import Claimed
from worker.heart import Heart
from worker.shift import Shift

T = TypeVar("T")
WORKER = f"{socket.gethostname()}:{os.getpid()}"
_PATIENCE = 0.05
"""Seconds that a group waits for its last members."""
_TASKS = {Stage.PREPARE: queue.PREPARE, Stage.ANALYZE: queue.ANALYZE}

log = structlog.get_logger()


@dataclass(frozen=True)
class Fetched(Generic[T]):
    """One item in hand, and what was fetched for it or why it could not be."""

    item: Claimed
    future: "Future[T]"

    @property
    def error(self) -> BaseException | None:
        """Why there is no ``value``."""
        return self.future.exception()

    @property
    def value(self) -> T:
        """What was fetched."""
        return self.future.result()


@dataclass(frozen=True)
class Plan(Generic[T]):
    """How one stage is fed."""

    stage: Stage
    fetch: Callable[[Claimed], T]
    """Runs in a thread; what it raises is kept for whoever works on the item."""
    group: int
    """The most items that are worked on at once."""
    ahead: int
    """The most items in hand."""
    threads: int
    """How many items are fetched at once."""
    lease_seconds: float
    sift: Callable[[Sequence[Claimed]], Sequence[Claimed]] = field(default=lambda items: items)
    """Settles what needs no work and returns the rest of a claim."""


class Feed(Generic[T]):
    """Groups of fetched items, for as long as there are any and the shift lasts.

    Whoever iterates must settle a group before asking for the next one. What is not settled
    when the feed is left, for whatever reason, is given back: that attempt does not count.
    A suspect is only taken in hand alone.
    """

    def __init__(self, plan: Plan[T], shift: Shift) -> None:
        self._plan = plan
        self._shift = shift
        self._claimed: Sequence[Claimed] = ()
        self._pending: list[Fetched[T]] = []
        self._group: list[Fetched[T]] = []
        self._pool = ThreadPoolExecutor(plan.threads, thread_name_prefix=plan.stage)
        self._heart = Heart(self._tokens, plan.lease_seconds)
        self._has_rung = False
        self.starved = 0.0
        """Seconds that the worker had nothing to work on."""

    def __enter__(self) -> Self:
        self._heart.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._heart.__exit__(kind, error, trace)
        self._give_back()
        if error is None and self._shift.is_over:
            self._ring()

    def __iter__(self) -> Iterator[list[Fetched[T]]]:
        while not self._shift.is_stopped:
            self._top_up()
            if not self._pending:
                return
            self._take_group()
            if self._group:
                yield self._group
            self._group = []

    def _top_up(self) -> None:
        while self._has_room() and not self._shift.is_over:
            self._claimed = self._claim()
            if not self._claimed:
                return
            self._claimed = self._plan.sift(self._claimed)
            self._pending += [
                Fetched(item, self._pool.submit(self._plan.fetch, item)) for item in self._claimed
            ]
            self._claimed = ()

    def _has_room(self) -> bool:
        if any(one.item.is_suspect for one in self._pending):
            return False
        return len(self._pending) + self._plan.group <= self._plan.ahead

    def _claim(self) -> list[Claimed]:
        with db.transaction() as session:
            claimed = ledger.claim(
                session,
                self._plan.stage,
                worker=WORKER,
                limit=self._plan.group,
                lease_seconds=self._plan.lease_seconds,
                suspects=not self._pending,
            )
        if len(claimed) == self._plan.group:
            self._ring()
        return claimed

    def _ring(self) -> None:
        """Wake one more worker, once: there is more to do than this one holds.

        When none is free, the message waits and takes over when this shift is over.
        """
        if not self._has_rung:
            self._has_rung = True
            queue.ring(_TASKS[self._plan.stage])

    def _take_group(self) -> None:
        started = time.monotonic()
        futures = [one.future for one in self._pending]
        if sum(future.done() for future in futures) < self._plan.group:
            wait(futures, timeout=_PATIENCE)
        wait(futures, return_when=FIRST_COMPLETED)
        self.starved += time.monotonic() - started
        self._pending = [one for one in self._pending if one.item.token not in self._heart.lost]
        self._group = [one for one in self._pending if one.future.done()][: self._plan.group]
        taken = {one.item.id for one in self._group}
        self._pending = [one for one in self._pending if one.item.id not in taken]

    def _held(self) -> list[Claimed]:
        return [*self._claimed, *(one.item for one in (*self._group, *self._pending))]

    def _tokens(self) -> set[LeaseToken]:
        return {item.token for item in self._held()}

    def _give_back(self) -> None:
        held = self._held()
        if not held:
            return
        try:
            with db.transaction() as session:
                given = ledger.release(session, held)
        except OperationalError as error:
            log.warning("give_back_failed", count=len(held), error=str(error.orig))
        else:
            log.info("gave_back", stage=self._plan.stage, count=len(given))
