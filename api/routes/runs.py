from typing import Annotated

from fastapi import Query

from api.dependencies import DbSession, Monitor
from api.idempotency import Router
from api.schemas.runs import RunOut
from predella.services import runs
from predella.services.runs import Performance

router = Router(prefix="/runs", tags=["runs"])


@router.get("", response_model=list[RunOut])
def list_runs(
    session: DbSession, _monitor: Monitor, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> list[Performance]:
    """List what model workers did, the newest run first."""
    return runs.latest(session, limit=limit)
