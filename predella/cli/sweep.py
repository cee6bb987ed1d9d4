"""``predella sweep``: the caretaker that takes back what silent workers hold."""

import signal
import threading
from datetime import timedelta
from typing import Annotated

import structlog
import typer
from sqlalchemy.exc import OperationalError

from predella import db, logs
from predella.services import audits, records
from predella.services import sweep as services
from predella.settings import Settings, get_settings

log = structlog.get_logger()

_RECORDS_REST = timedelta(minutes=5)
"""So that what is withdrawn has its moment though nobody harvests."""


def sweep(
    *, once: Annotated[bool, typer.Option("--once", help="One round instead of for ever.")] = False
) -> None:
    """Take back what silent workers hold, and wake workers for what waits.

    Any number of these may run at once, on any machine; one is enough.
    """
    settings = get_settings()
    logs.configure(settings)
    if once:
        _round(settings)
        return
    stopped = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stopped.set())
    while not stopped.is_set():
        _patient_round(settings)
        stopped.wait(settings.sweep_seconds)


def _patient_round(settings: Settings) -> None:
    try:
        _round(settings)
    except OperationalError as error:
        log.warning("database_away", reason=str(error.orig).strip())


def _round(settings: Settings) -> None:
    with db.transaction() as session:
        swept = services.sweep(session, max_attempts=settings.max_attempts)
    with db.transaction() as session:
        audits.seal(session)
    with db.transaction() as session:
        records.refresh(session, older_than=_RECORDS_REST)
    if swept.returned or swept.given_up or swept.others:
        log.warning("swept", returned=swept.returned, given_up=swept.given_up, others=swept.others)
