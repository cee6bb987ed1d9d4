"""Whether this process lives, and whether it can work; open to everybody, telling nothing more."""

from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Literal

import structlog
from anyio import fail_after, to_thread
from fastapi import APIRouter, Response

from api.dependencies import ObjectStore
from api.schemas.health import Liveness, Readiness
from predella.services import health

router = APIRouter(tags=["health"])
log = structlog.get_logger()

_PATIENCE = 3
"""Seconds; a part that needs longer is as good as away."""


@router.get("/livez")
def is_alive() -> Liveness:
    """Answer at all: else restart this process."""
    return Liveness()


@router.get(
    "/readyz",
    responses={HTTPStatus.SERVICE_UNAVAILABLE: {"model": Readiness}},
)
async def is_ready(response: Response, store: ObjectStore) -> Readiness:
    """Say whether the database and the object store answer: else send no requests here."""
    parts = Readiness(
        database=await _ask("database", health.ask_database),
        store=await _ask("store", partial(health.ask_store, store)),
    )
    if "silent" in {parts.database, parts.store}:
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    return parts


async def _ask(part: str, question: Callable[[], None]) -> Literal["ok", "silent"]:
    try:
        with fail_after(_PATIENCE):
            await to_thread.run_sync(question, abandon_on_cancel=True)
    except Exception as error:  # noqa: BLE001  (whatever it is, the part is not usable)
        log.warning("part_silent", part=part, error=str(error).partition("\n")[0])
        return "silent"
    return "ok"
