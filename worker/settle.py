"""Ending attempts, whatever the database and the store are doing meanwhile."""

import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from predella import db
from predella.errors import RefusedImageError, UnavailableError
from predella.ids import ItemId
from predella.services import ledger
from predella.services.ledger import Claimed
from predella.settings import Settings
from predella.storage import Store

T = TypeVar("T")
_PAUSE = 0.5

log = structlog.get_logger()


def settle(
    items: Sequence[Claimed], work: Callable[[Session], set[ItemId]], *, seconds: float
) -> None:
    """Run work that ends the attempts at these items, again while the database is away.

    What a model wrote is not thrown away because a connection broke. A commit whose reply
    was lost is recognised when it is tried again; what is no longer ours is dropped.
    """
    fenced = patiently(partial(_try, items, work), seconds=seconds)
    if fenced:
        log.warning("fenced", item_ids=[str(item_id) for item_id in fenced])


def patiently(
    work: Callable[[], T], *, seconds: float, stopped: threading.Event | None = None
) -> T:
    """Run work, again while the database is away, for so long or until it is of no use.

    Raises:
        OperationalError: the database was away all the time.
    """
    deadline = time.monotonic() + seconds
    stopped = stopped or threading.Event()
    while True:
        try:
            return work()
        except OperationalError as error:
            log.warning("database_away", error=str(error.orig))
            if time.monotonic() > deadline or stopped.wait(_PAUSE):
                raise


def _try(items: Sequence[Claimed], work: Callable[[Session], set[ItemId]]) -> set[ItemId]:
    """Return what was not ours any more."""
    with db.transaction() as session:
        mine = work(session)
        missing = [item for item in items if item.id not in mine]
        earlier = ledger.ended_here(session, missing) if missing else set()
        return {item.id for item in missing} - earlier


def settle_failure(
    item: Claimed, error: BaseException, *, store: Store, settings: Settings
) -> None:
    """Fail an item whose image is at fault, put back one that met with something else.

    Raises:
        UnavailableError: the whole store is away, so it is not this item's doing.
    """
    if isinstance(error, RefusedImageError):
        log.info("image_refused", item_id=str(item.id), code=error.code, reason=str(error))
        fail(item, code=error.code, sentence=str(error), settings=settings)
    elif isinstance(error, UnavailableError):
        # Raises when it does not answer for our own bucket either.
        store.exists(settings.bucket, "prepared/")
        log.warning("fetch_failed", item_id=str(item.id), reason=str(error))
        retry(item, code="unavailable", sentence=str(error), settings=settings)
    else:
        log.error("fetch_failed", item_id=str(item.id), exc_info=error)
        sentence = "something went wrong inside predella; its log says more"
        retry(item, code="internal", sentence=sentence, settings=settings)


def fail(item: Claimed, *, code: str, sentence: str, settings: Settings) -> None:
    """End an item for good: its image is at fault."""

    def work(session: Session) -> set[ItemId]:
        return ledger.fail(session, item, code=code, sentence=sentence)

    settle([item], work, seconds=settings.lease_seconds)


def retry(item: Claimed, *, code: str, sentence: str, settings: Settings) -> None:
    """Put an item back for later; at the last attempt it has failed."""

    def work(session: Session) -> set[ItemId]:
        return ledger.retry(
            session, item, code=code, sentence=sentence, max_attempts=settings.max_attempts
        )

    settle([item], work, seconds=settings.lease_seconds)
