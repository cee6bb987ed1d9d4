"""Leases on whole pieces of work: one submission to receive, one export to write, one zoom.

A lease names who has the work in hand and until when. It is kept alive while the work goes
on; when its holder falls silent the sweep takes it back. Whoever finishes must still hold it.
Only the database's clock counts.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, Update, func, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from predella import db, ids
from predella.ids import LeaseToken
from predella.models import Export, Submission, Zoom
from predella.settings import get_settings

Work = type[Submission] | type[Export] | type[Zoom]

log = structlog.get_logger()


@dataclass(frozen=True)
class Lease:
    """One piece of work in somebody's hand."""

    work: Work
    id: UUID
    token: LeaseToken
    attempt: int


def claim(session: Session, work: Work, waiting: ColumnElement[bool]) -> Lease | None:
    """Take the oldest waiting piece of work in hand; None when nothing waits."""
    oldest = session.scalar(
        select(work.id)
        .where(waiting, work.lease_token.is_(None))
        .order_by(work.created_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return take(session, work, oldest) if oldest else None


def take(session: Session, work: Work, id_: UUID) -> Lease:
    """Take a piece of work in hand that nobody else can have; the attempt is counted."""
    token = LeaseToken(ids.new())
    attempt = session.scalars(
        update(work)
        .where(work.id == id_)
        .values(lease_token=token, lease_until=_until(), attempt=work.attempt + 1)
        .returning(work.attempt)
    ).one()
    return Lease(work, id_, token, attempt)


@contextmanager
def kept_alive(lease: Lease) -> Iterator[None]:
    """Prolong the lease from a thread and a connection of its own while the block runs."""
    done = threading.Event()
    beat = threading.Thread(target=_beat, args=(lease, done), daemon=True)
    beat.start()
    try:
        yield
    finally:
        done.set()
        beat.join()


def pause(session: Session, lease: Lease) -> None:
    """Let go of the work, which nobody gets before some time has passed: 15 s, 30 s, 60 s ...

    The lease stays and runs out; the sweep then gives the work to whoever comes.
    """
    seconds = 7.5 * 2**lease.attempt
    session.execute(_held(lease).values(lease_until=_from_now(seconds)))


def _beat(lease: Lease, done: threading.Event) -> None:
    while not done.wait(get_settings().lease_seconds / 3):
        try:
            with db.transaction() as session:
                session.execute(_held(lease).values(lease_until=_until()))
        except OperationalError as error:
            log.warning("heartbeat_failed", id=str(lease.id), error=str(error.orig))


def _held(lease: Lease) -> Update:
    work = lease.work
    return update(work).where(work.id == lease.id, work.lease_token == lease.token)


def _until() -> ColumnElement[datetime]:
    return _from_now(get_settings().lease_seconds)


def _from_now(seconds: float) -> ColumnElement[datetime]:
    return func.now() + func.make_interval(0, 0, 0, 0, 0, 0, seconds)
