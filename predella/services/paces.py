"""Paces: how long an account reads, for its own eyes alone."""

from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from predella.models import Account, Review

_RECENT = 100
"""Decisions that are looked at."""
_ENOUGH = 20
"""Fewer tell too little."""
_LONGEST = 600
"""Seconds: who looks longer at one text has gone to do something else."""


def of(session: Session, account: Account) -> timedelta | None:
    """Return how long a text was on screen in this account's last decisions, on the average.

    None where it has decided too seldom to tell. Decisions on many at once do not count: nobody
    read those then.
    """
    last = (
        select(Review.seconds_seen)
        .where(
            Review.account_id == account.id,
            Review.seconds_seen.is_not(None),
            Review.selection_id.is_(None),
        )
        .order_by(Review.id.desc())
        .limit(_RECENT)
        .subquery()
    )
    count, seconds = session.execute(
        select(func.count(), func.avg(func.least(last.c.seconds_seen, _LONGEST)))
    ).one()
    return timedelta(seconds=seconds) if count >= _ENOUGH else None
