from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header
from fastapi.sse import EventSourceResponse, ServerSentEvent

from api.dependencies import DbSession, Reader
from api.idempotency import Router
from api.schemas.operations import OperationOut
from api.watching import watch
from predella.services import operations
from predella.services.operations import Operation, OperationState

router = Router(prefix="/operations/{operation_id}", tags=["operations"])


def _found(session: DbSession, _reader: Reader, operation_id: UUID) -> Operation:
    return operations.get(session, operation_id)


Found = Annotated[Operation, Depends(_found)]


@router.get("", response_model=OperationOut)
def get_operation(operation: Found) -> Operation:
    """Show how far a submission or an export has come."""
    return operation


@router.get("/events", response_class=EventSourceResponse)
async def watch_operation(
    operation: Found, last_event_id: Annotated[str | None, Header(max_length=200)] = None
) -> AsyncIterator[ServerSentEvent]:
    """Follow a submission or an export: `progress` events, and one `ended` when it has ended.

    A stream that breaks off, or closes without `ended`, is to be opened again; with the header
    `Last-Event-ID` it goes on where it was. Comments come in between to keep it open.
    """
    async for newest in watch(operation):
        event = _event(newest)
        if event.event == "ended" or event.id != last_event_id:
            yield event


def _event(operation: Operation) -> ServerSentEvent:
    return ServerSentEvent(
        data=OperationOut.model_validate(operation),
        event="progress" if operation.state is OperationState.RUNNING else "ended",
        id=f"{operation.total}.{operation.done}.{operation.failed}",
        retry=2000,
    )
