"""A piece of work, watched until it ends."""

from collections.abc import AsyncIterator
from uuid import UUID

import structlog
from anyio import current_time, sleep
from fastapi.concurrency import run_in_threadpool
from sqlalchemy.exc import OperationalError

from predella import db
from predella.services import operations
from predella.services.operations import Operation, OperationState

log = structlog.get_logger()

_EVERY = 1
"""Seconds between two looks."""

_LONGEST = 15 * 60
"""Seconds; who still listens comes again, and shows the token again."""


async def watch(operation: Operation) -> AsyncIterator[Operation]:
    """Yield the work whenever it has changed, first as it is; end when it or our patience ends.

    No connection to the database is held between two looks.
    """
    yield operation
    end = current_time() + _LONGEST
    while operation.state is OperationState.RUNNING and current_time() < end:
        await sleep(_EVERY)
        newest = await run_in_threadpool(_look, operation.id) or operation
        if newest != operation:
            yield newest
        operation = newest


def _look(operation_id: UUID) -> Operation | None:
    try:
        with db.transaction() as session:
            return operations.get(session, operation_id)
    except OperationalError as error:
        log.warning("look_failed", error=str(error).partition("\n")[0])
        return None
