"""Uses: when a key was last used, as far as anybody wants to know."""

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from predella import clock
from predella.models import Token, WebSession

_EVERY = timedelta(minutes=1)


def note(
    session: Session,
    key: Token | WebSession,
    when: InstrumentedAttribute[datetime] | InstrumentedAttribute[datetime | None],
) -> None:
    """Remember the use, at most once a minute, and never wait for another request's note."""
    now, last = clock.now(), getattr(key, when.key)
    if last is not None and last > now - _EVERY:
        return
    table = type(key)
    stale = when.is_(None) | (when <= now - _EVERY)
    free = select(table.id).where(table.id == key.id, stale).with_for_update(skip_locked=True)
    session.execute(update(table).where(table.id.in_(free)).values({when: now}))
