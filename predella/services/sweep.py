"""The sweep: takes back what silent workers hold, and rings again for what waits.

It also notices when a hand-in has come to its end, and forgets what is too old: selections,
answers that are kept for who sends a request again, deliveries of webhooks.

It may run anywhere, any number of times at once; nothing else ends an expired lease.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, text
from sqlalchemy.orm import Session

from predella import clock, db, queue
from predella.services import deliveries

_AT_ONCE = 500
_RINGS = 4
"""The most messages that may lie unread in a queue before the sweep adds none."""

_KEPT = timedelta(days=30)
"""How long a webhook's deliveries can be looked up and replayed."""


@dataclass(frozen=True)
class Swept:
    """What one round found."""

    returned: int = 0
    """Items whose worker fell silent and that will be tried again."""
    given_up: int = 0
    """Items that lost their worker too often."""
    others: int = 0
    """Submissions, exports and zooms, likewise."""
    forgotten: int = 0
    """Selections whose time is over and that nothing was decided with."""
    waiting: dict[str, int] = field(default_factory=dict)
    """Task name -> how many pieces of work are ready for it (500 stands for "or more")."""


_TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtext('predella.sweep'))")

# One statement: the attempt is closed, and the item is put back or given up.
_ITEMS = text("""
    WITH silent AS (
        SELECT id, lease_token, attempt FROM item
        WHERE state = 'leased' AND lease_until < now()
        ORDER BY lease_until LIMIT :at_once FOR UPDATE SKIP LOCKED
    ), closed AS (
        UPDATE attempt SET ended_at = now(), outcome = 'lost' FROM silent
        WHERE attempt.item_id = silent.id AND attempt.lease_token = silent.lease_token
    )
    UPDATE item SET
        state = CASE WHEN silent.attempt >= :max_attempts THEN 'failed' ELSE 'waiting' END,
        error_code = CASE WHEN silent.attempt >= :max_attempts THEN 'gave_up' END,
        error = CASE WHEN silent.attempt >= :max_attempts THEN
            'the program stopped ' || silent.attempt || ' times while it worked on this image;'
            ' check the file, or tell whoever runs predella' END,
        finished_at = CASE WHEN silent.attempt >= :max_attempts THEN now() END,
        next_attempt_at = now(), lease_token = NULL, lease_owner = NULL, lease_until = NULL
    FROM silent WHERE item.id = silent.id
    RETURNING item.state
""")

_SUBMISSIONS = text("""
    UPDATE submission SET
        state = CASE WHEN attempt >= :max_attempts THEN 'refused' ELSE state END,
        refusal = CASE WHEN attempt >= :max_attempts THEN
            'the program stopped ' || attempt || ' times while it read this hand-in;'
            ' nothing of it was queued' END,
        lease_token = NULL, lease_until = NULL
    WHERE id IN (
        SELECT id FROM submission WHERE lease_until < now()
        LIMIT :at_once FOR UPDATE SKIP LOCKED
    )
    RETURNING id
""")

_EXPORTS = text("""
    UPDATE export SET
        state = CASE WHEN attempt >= :max_attempts THEN 'failed' ELSE state END,
        error = CASE WHEN attempt >= :max_attempts THEN
            'the program stopped ' || attempt || ' times while it wrote this export' END,
        lease_token = NULL, lease_until = NULL
    WHERE id IN (
        SELECT id FROM export WHERE lease_until < now()
        LIMIT :at_once FOR UPDATE SKIP LOCKED
    )
    RETURNING id
""")

_ZOOMS = text("""
    UPDATE zoom SET
        error = CASE WHEN attempt >= :max_attempts THEN
            'the program stopped ' || attempt || ' times while it made this zoom' END,
        lease_token = NULL, lease_until = NULL
    WHERE image_id IN (
        SELECT image_id FROM zoom WHERE lease_until < now()
        LIMIT :at_once FOR UPDATE SKIP LOCKED
    )
    RETURNING image_id
""")

# Some at once, as each may have 10,000 members; an hour late, so that whoever decided on one in
# its last moment is done by then.
_SELECTIONS = text("""
    DELETE FROM selection WHERE id IN (
        SELECT id FROM selection WHERE expires_at < now() - interval '1 hour'
            AND NOT EXISTS (SELECT FROM review WHERE review.selection_id = selection.id)
        ORDER BY expires_at LIMIT 20 FOR UPDATE SKIP LOCKED
    )
""")
_OLD_ANSWERS = text("DELETE FROM answer WHERE created_at < now() - interval '24 hours'")
# In the same transaction the webhooks that listen are told: a trigger sees to it.
_FINISHED = text("""
    UPDATE submission SET finished_at = now()
    WHERE id IN (
        SELECT id FROM submission
        WHERE finished_at IS NULL AND state <> 'receiving' AND NOT EXISTS (
            SELECT FROM item
            WHERE item.submission_id = submission.id
                AND item.state IN ('waiting', 'leased', 'held'))
        ORDER BY created_at LIMIT :at_once FOR UPDATE SKIP LOCKED
    )
""")

_WAITING = text("""
    SELECT
        (SELECT count(*) FROM submission WHERE state = 'receiving' AND lease_token IS NULL),
        (SELECT count(*) FROM export WHERE state = 'writing' AND lease_token IS NULL),
        (SELECT count(*) FROM zoom
            WHERE made_at IS NULL AND error IS NULL AND lease_token IS NULL),
        (SELECT count(*) FROM (SELECT FROM webhook_delivery
            WHERE state = 'waiting' AND next_attempt_at <= :now LIMIT :at_once) ready),
        (SELECT count(*) FROM (SELECT FROM item
            WHERE state = 'waiting' AND stage = 'prepare' AND next_attempt_at <= now()
            LIMIT :at_once) ready),
        (SELECT count(*) FROM (SELECT FROM item
            WHERE state = 'waiting' AND stage = 'analyze' AND next_attempt_at <= now()
            LIMIT :at_once) ready)
""")
_TASKS = (queue.RECEIVE, queue.EXPORT, queue.ZOOM, queue.DELIVER, queue.PREPARE, queue.ANALYZE)


def sweep(session: Session, *, max_attempts: int) -> Swept:
    """End every lease that has run out, ring for what is ready, and forget what is too old.

    A process that held an item too long is told by its next heartbeat or finish, which
    find nothing under its token any more. When another sweep is at it, this one does nothing.
    """
    if not session.scalar(_TRY_LOCK):
        return Swept()
    now = clock.now()
    limits = {"at_once": _AT_ONCE, "max_attempts": max_attempts, "now": now}
    states = session.scalars(_ITEMS, limits).all()
    others = [
        one
        for pieces in (_SUBMISSIONS, _EXPORTS, _ZOOMS)
        for one in session.scalars(pieces, limits)
    ]
    forgotten = cast("CursorResult[Any]", session.execute(_SELECTIONS)).rowcount
    session.execute(_OLD_ANSWERS)
    session.execute(_FINISHED, limits)
    deliveries.clear(session, before=now - _KEPT)
    counts = session.execute(_WAITING, limits).one()
    waiting = dict(zip(_TASKS, counts, strict=True))
    db.after_commit(session, lambda: _ring(waiting))
    return Swept(
        returned=states.count("waiting"),
        given_up=states.count("failed"),
        others=len(others),
        forgotten=forgotten,
        waiting=waiting,
    )


def _ring(waiting: dict[str, int]) -> None:
    for task, count in waiting.items():
        if count:
            queue.ring_up_to(task, min(count, _RINGS))
