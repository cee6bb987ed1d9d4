"""How far a hand-in or an export has come, for those who wait: noted while the work goes on."""

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from predella import db
from predella.models import Export, ReviewState, Standing, Submission
from predella.services.leases import Lease

T = TypeVar("T")
Tell = Callable[[int, int], None]
"""Is told how many texts or pictures were looked at, and of about how many."""

_EVERY = 1.0
_LEAVING = (ReviewState.APPROVED, ReviewState.ACCEPTED_BY_SAMPLE)


def to_nobody(_done: int, _total: int) -> None:
    """Tell nobody."""


def expected(session: Session, export: Export) -> int:
    """Return about how many texts an export will look at: those that were accepted."""
    accepted = (Standing.collection_id == export.collection_id) & Standing.state.in_(_LEAVING)
    return session.scalar(select(func.count()).select_from(Standing).where(accepted)) or 0


def watched(lease: Lease, texts: Iterator[T], *, total: int, tell: Tell) -> Iterator[T]:
    """Pass texts on, and note how many there were: in the export, and to whoever listens."""
    noted, done = time.monotonic(), 0
    for done, one in enumerate(texts, start=1):
        yield one
        if time.monotonic() - noted >= _EVERY:
            _note(lease, done, max(done, total))
            tell(done, max(done, total))
            noted = time.monotonic()
    _note(lease, done, done)
    tell(done, done)


def noting(submission: Submission, tell: Tell) -> Tell:
    """Return what notes in a hand-in how many of its pictures were looked at, and tells on."""
    mine = (Submission.id == submission.id) & (Submission.lease_token == submission.lease_token)

    def note(done: int, total: int) -> None:
        with db.transaction() as session:
            values = {"pictures_looked_at": done, "pictures_to_look_at": total}
            session.execute(update(Submission).where(mine).values(values))
        tell(done, total)

    return note if submission.lease_token else tell


def _note(lease: Lease, done: int, total: int) -> None:
    mine = (Export.id == lease.id) & (Export.lease_token == lease.token)
    with db.transaction() as session:
        session.execute(update(Export).where(mine).values(texts_done=done, texts_total=total))
