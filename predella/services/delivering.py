"""One delivery: the message written, signed, and sent to a place that is judged anew."""

import json
import time
from collections.abc import Sequence
from http import HTTPStatus
from uuid import UUID

import structlog

from predella import clock, db
from predella.errors import ConflictError, InvalidError, UnavailableError
from predella.models import WebhookDelivery, WebhookEvent
from predella.outside import places, posting
from predella.outside.posting import Answer
from predella.services import deliveries, signatures, webhooks
from predella.services.deliveries import Outcome
from predella.settings import get_settings

log = structlog.get_logger()


def deliver_waiting() -> bool:
    """Deliver what has waited longest; False when nothing waits.

    What keeps it from arriving is noted with it, and is no error here.
    """
    with db.transaction() as session:
        delivery = deliveries.claim(session)
        if delivery is None:
            return False
        secret_ids = webhooks.secret_ids(session, delivery.webhook)
        session.expunge_all()
    outcome = _tried(delivery, secret_ids)
    log.info(
        "webhook_tried",
        delivery_id=str(delivery.id),
        webhook_id=str(delivery.webhook_id),
        status_code=outcome.status_code,
        error=outcome.error,
    )
    with db.transaction() as session:
        deliveries.finish(session, delivery.id, outcome, attempt=delivery.attempt)
    return True


def message(event: WebhookEvent) -> str:
    """Return what a webhook is told: what happened, when, and where to ask for more."""
    told = {
        "type": event.type,
        "timestamp": event.created_at.isoformat(),
        "data": event.data | {"url": f"{_address()}{event.path}"},
    }
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def _tried(delivery: WebhookDelivery, secret_ids: Sequence[UUID]) -> Outcome:
    began = time.monotonic()
    try:
        answer = _sent(delivery, secret_ids)
    except (UnavailableError, InvalidError, ConflictError) as error:
        return Outcome(None, str(error), time.monotonic() - began)
    fault, seconds = _fault(answer.status), time.monotonic() - began
    return Outcome(answer.status, fault, seconds, answer.retry_after)


def _sent(delivery: WebhookDelivery, secret_ids: Sequence[UUID]) -> Answer:
    networks = get_settings().webhook_private_networks
    place = places.judge(delivery.webhook.url, private_networks=networks)
    body = message(delivery.event)
    proof = signatures.headers(delivery.event_id, body, secret_ids=secret_ids, at=clock.now())
    usual = {"Content-Type": "application/json", "User-Agent": "predella"}
    return posting.post(place, body.encode(), usual | proof)


def _fault(status: int) -> str | None:
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return None
    if status < HTTPStatus.BAD_REQUEST:
        return f"it answered {status}; redirects are not followed"
    return f"it answered {status}"


def _address() -> str:
    settings = get_settings()
    own = f"http://{settings.api_host}:{settings.api_port}"
    return (settings.public_url or own).rstrip("/")
