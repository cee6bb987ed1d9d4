"""Deliveries: each event on its way to each webhook that listens, at least once.

A try is scheduled anew before it is made: whoever dies over it has lost nothing, the next one
comes by itself. What is down is tried once a minute, not once for each message that waits.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session, joinedload

from predella import clock, queue
from predella.errors import NotFoundError
from predella.ids import WebhookDeliveryId, WebhookId
from predella.models import (
    DeliveryState,
    Webhook,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEvent,
)
from predella.services import webhooks

_WAITS = tuple(
    timedelta(seconds=seconds)
    for seconds in (30, 120, 600, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 72_000)
)
"""After each failure; all together three days. The shortest is longer than any try takes."""
_PAUSE = timedelta(minutes=1)
_PATIENCE = timedelta(days=3)
"""How long a webhook may fail without a single success."""
_GONE = 410


@dataclass(frozen=True)
class Outcome:
    """How one try ended."""

    status_code: int | None
    """None where no answer came."""
    error: str | None
    """None where it arrived."""
    seconds: float
    retry_after: timedelta | None = None
    """How long the endpoint asked to be left alone."""


def listed(
    session: Session,
    webhook_id: WebhookId,
    *,
    state: DeliveryState | None = None,
    before: UUID | None = None,
    limit: int = 50,
) -> Sequence[WebhookDelivery]:
    """Return what was sent to a webhook, with its events, the newest first."""
    page = _whole().where(WebhookDelivery.webhook_id == webhook_id)
    page = page.order_by(WebhookDelivery.id.desc()).limit(limit)
    if state is not None:
        page = page.where(WebhookDelivery.state == state)
    return session.scalars(page.where(WebhookDelivery.id < before) if before else page).all()


def get(session: Session, webhook_id: WebhookId, delivery_id: WebhookDeliveryId) -> WebhookDelivery:
    """Return one delivery to this webhook, with its event.

    Raises:
        NotFoundError: there is none.
    """
    found = session.scalar(
        _whole().where(WebhookDelivery.id == delivery_id, WebhookDelivery.webhook_id == webhook_id)
    )
    if found is None:
        raise NotFoundError("delivery", delivery_id)
    return found


def attempts(session: Session, delivery: WebhookDelivery) -> Sequence[WebhookAttempt]:
    """Return every try of a delivery, the oldest first."""
    tried = select(WebhookAttempt).filter_by(delivery_id=delivery.id).order_by(WebhookAttempt.id)
    return session.scalars(tried).all()


def replay(
    session: Session, webhook_id: WebhookId, delivery_id: WebhookDeliveryId
) -> WebhookDelivery:
    """Send a message again, whatever became of it, under the same id. One that waits goes now.

    Raises:
        NotFoundError: there is none.
        ConflictError: the webhook is disabled.
    """
    webhook = webhooks.held(session, webhook_id)
    webhooks.require_enabled(webhook)
    delivery = get(session, webhook_id, delivery_id)
    delivery.state, delivery.ended_at = DeliveryState.WAITING, None
    delivery.attempt, delivery.next_attempt_at = 0, clock.now()
    webhook.paused_until = None
    session.flush()
    queue.ring_after_commit(session, queue.DELIVER)
    return delivery


def claim(session: Session) -> WebhookDelivery | None:
    """Return the delivery that has waited longest, with all that it needs; None when none has.

    Its next try is written down already.
    """
    now = clock.now()
    ready = (
        WebhookDelivery.state == DeliveryState.WAITING,
        WebhookDelivery.next_attempt_at <= now,
    )
    is_paused = Webhook.paused_until.is_not(None) & (Webhook.paused_until > now)
    delivery = session.scalar(
        select(WebhookDelivery)
        .join(WebhookDelivery.webhook)
        .where(*ready, ~is_paused)
        .order_by(WebhookDelivery.next_attempt_at, WebhookDelivery.id)
        .limit(1)
        .with_for_update(of=WebhookDelivery, skip_locked=True)
        .options(joinedload(WebhookDelivery.webhook), joinedload(WebhookDelivery.event))
    )
    if delivery is not None:
        delivery.attempt += 1
        delivery.next_attempt_at = now + _wait(delivery.attempt)
        session.flush()
    return delivery


def finish(session: Session, delivery_id: UUID, outcome: Outcome, *, attempt: int) -> None:
    """Write down how a try ended, and what that means for the webhook.

    A try that somebody else has repeated meanwhile only counts if it arrived.
    """
    delivery = session.get_one(WebhookDelivery, delivery_id)
    webhook = webhooks.held(session, WebhookId(delivery.webhook_id))
    session.refresh(delivery, with_for_update=True)
    session.add(
        WebhookAttempt(
            delivery_id=delivery_id,
            status_code=outcome.status_code,
            error=outcome.error,
            seconds=outcome.seconds,
        )
    )
    if outcome.error is None:
        _arrived(webhook, delivery, outcome)
    elif delivery.state is DeliveryState.WAITING and delivery.attempt == attempt:
        _failed(session, webhook, delivery, outcome)
    session.flush()


def clear(session: Session, *, before: datetime) -> None:
    """Forget events that are older, and what became of them."""
    session.execute(delete(WebhookEvent).where(WebhookEvent.created_at < before))


def _arrived(webhook: Webhook, delivery: WebhookDelivery, outcome: Outcome) -> None:
    delivery.state, delivery.ended_at = DeliveryState.DELIVERED, clock.now()
    delivery.status_code, delivery.error = outcome.status_code, None
    webhook.failing_since = webhook.paused_until = None


def _failed(
    session: Session, webhook: Webhook, delivery: WebhookDelivery, outcome: Outcome
) -> None:
    now = clock.now()
    delivery.status_code, delivery.error = outcome.status_code, outcome.error
    webhook.failing_since = webhook.failing_since or now
    webhook.paused_until = now + max(_PAUSE, outcome.retry_after or _PAUSE)
    delivery.next_attempt_at = max(delivery.next_attempt_at, webhook.paused_until)
    if delivery.attempt > len(_WAITS):
        delivery.state, delivery.ended_at = DeliveryState.FAILED, now
    session.flush()
    if outcome.status_code == _GONE:
        webhooks.disable(session, webhook, reason="it answered 410 Gone")
    elif now - webhook.failing_since >= _PATIENCE:
        webhooks.disable(
            session,
            webhook,
            reason=f"nothing has arrived since {webhook.failing_since:%Y-%m-%d %H:%M} UTC",
        )


def _wait(attempt: int) -> timedelta:
    """Return how long to wait after this try, spread by a fifth: what fails together parts."""
    usual = _WAITS[min(attempt, len(_WAITS)) - 1]
    return usual * random.uniform(0.8, 1.2)  # noqa: S311  (nobody gains by guessing it)


def _whole() -> Select[WebhookDelivery]:
    return select(WebhookDelivery).options(joinedload(WebhookDelivery.event))
