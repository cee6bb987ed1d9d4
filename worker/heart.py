"""Keeping leases alive while the work itself takes its time."""

import threading
from collections.abc import Callable, Collection, Sequence
from types import TracebackType
from typing import Self

import structlog
from sqlalchemy.exc import OperationalError

from predella import db
from predella.services import ledger
from predella.services.ledger import Claimed

log = structlog.get_logger()


class Heart:
    """A thread that renews leases, three times in the life of each, on its own connection.

    ``lose`` is told which items are not ours any more: their leases ran out, or the museum
    closed what they show.
    """

    def __init__(
        self,
        held: Callable[[], Collection[Claimed]],
        lease_seconds: float,
        *,
        lose: Callable[[Sequence[Claimed]], None],
    ) -> None:
        self._held = held
        self._lease_seconds = lease_seconds
        self._lose = lose
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heart", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(self._lease_seconds / 3):
            held = self._held()
            if held:
                self._beat(held)

    def _beat(self, held: Collection[Claimed]) -> None:
        try:
            with db.transaction() as session:
                gone = ledger.heartbeat(session, held, lease_seconds=self._lease_seconds)
        except OperationalError as error:
            log.warning("heartbeat_failed", error=str(error.orig))
        else:
            self._lose(gone)
