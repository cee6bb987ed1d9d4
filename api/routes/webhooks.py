from http import HTTPStatus
from typing import Annotated

from fastapi import Query, Response

from api.dependencies import Administrator, DbSession
from api.idempotency import Router
from api.paging import ById, Rows
from api.preconditions import Seen, require_etag
from api.schemas.base import Page
from api.schemas.webhooks import (
    AttemptOut,
    DeliveryOut,
    DeliveryView,
    NewWebhookOut,
    SecretOut,
    WebhookIn,
    WebhookOut,
    WebhookPatch,
)
from predella.ids import WebhookDeliveryId, WebhookId
from predella.models import DeliveryState, Webhook
from predella.services import deliveries, webhooks

router = Router(prefix="/webhooks", tags=["webhooks"])


@router.post("", status_code=HTTPStatus.CREATED)
def create_webhook(
    session: DbSession, administrator: Administrator, body: WebhookIn
) -> NewWebhookOut:
    """Have an address told of events; its secret is in this answer and in no other."""
    webhook, secret = webhooks.add(session, body.wish(), account=administrator.account)
    return NewWebhookOut(**WebhookOut.of(webhook).model_dump(), secret=secret)


@router.get("", response_model=Page[WebhookOut])
def list_webhooks(
    session: DbSession, _administrator: Administrator, paging: ById
) -> Rows[WebhookOut]:
    """List the webhooks, the disabled ones among them."""
    rows = webhooks.listed(session, after=paging.after, limit=paging.limit)
    return paging.page([WebhookOut.of(row) for row in rows], lambda row: row.id)


@router.get("/{webhook_id}")
def get_webhook(
    session: DbSession, _administrator: Administrator, webhook_id: WebhookId, response: Response
) -> WebhookOut:
    """Show one webhook, with its `ETag`."""
    return _tagged(webhooks.get(session, webhook_id), response)


@router.patch("/{webhook_id}")
def change_webhook(
    session: DbSession,
    _administrator: Administrator,
    webhook_id: WebhookId,
    body: WebhookPatch,
    seen: Seen,
    response: Response,
) -> WebhookOut:
    """Change what a webhook is told and where, or enable it again."""
    webhook = webhooks.held(session, webhook_id)
    current = WebhookOut.of(webhook)
    require_etag(seen, current.etag, current)
    if wish := body.wish(webhook):
        webhooks.change(session, webhook, wish)
    if "enabled" in body.model_fields_set:
        webhooks.switch(session, webhook, enabled=body.enabled)
    return _tagged(webhook, response)


@router.delete("/{webhook_id}")
def disable_webhook(
    session: DbSession, _administrator: Administrator, webhook_id: WebhookId
) -> WebhookOut:
    """Tell a webhook of nothing any more; it stays in the list."""
    webhook = webhooks.held(session, webhook_id)
    return WebhookOut.of(webhooks.switch(session, webhook, enabled=False))


@router.post("/{webhook_id}/secret", status_code=HTTPStatus.CREATED)
def rotate_secret(
    session: DbSession, _administrator: Administrator, webhook_id: WebhookId
) -> SecretOut:
    """Make a new secret; the one before it signs beside it for 24 hours."""
    return SecretOut(secret=webhooks.rotate(session, webhooks.get(session, webhook_id)))


@router.post("/{webhook_id}/test", status_code=HTTPStatus.ACCEPTED)
def send_test(
    session: DbSession, _administrator: Administrator, webhook_id: WebhookId
) -> DeliveryOut:
    """Send a message `webhook.test`; what became of it is among the deliveries."""
    return DeliveryOut.of(webhooks.test(session, webhooks.get(session, webhook_id)))


@router.get("/{webhook_id}/deliveries", response_model=Page[DeliveryOut])
def list_deliveries(
    session: DbSession,
    _administrator: Administrator,
    webhook_id: WebhookId,
    paging: ById,
    state: Annotated[DeliveryState | None, Query()] = None,
) -> Rows[DeliveryOut]:
    """List what was sent in the last 30 days, the newest first."""
    webhooks.get(session, webhook_id)
    rows = deliveries.listed(
        session, webhook_id, state=state, before=paging.after, limit=paging.limit
    )
    return paging.page([DeliveryOut.of(row) for row in rows], lambda row: row.id)


@router.get("/{webhook_id}/deliveries/{delivery_id}")
def get_delivery(
    session: DbSession,
    _administrator: Administrator,
    webhook_id: WebhookId,
    delivery_id: WebhookDeliveryId,
) -> DeliveryView:
    """Show one delivery with every try."""
    delivery = deliveries.get(session, webhook_id, delivery_id)
    tried = [AttemptOut.model_validate(one) for one in deliveries.attempts(session, delivery)]
    return DeliveryView(**DeliveryOut.of(delivery).model_dump(), attempts=tried)


@router.post("/{webhook_id}/deliveries/{delivery_id}/replay", status_code=HTTPStatus.ACCEPTED)
def replay_delivery(
    session: DbSession,
    _administrator: Administrator,
    webhook_id: WebhookId,
    delivery_id: WebhookDeliveryId,
) -> DeliveryOut:
    """Send a message again, under the same `webhook-id`."""
    return DeliveryOut.of(deliveries.replay(session, webhook_id, delivery_id))


def _tagged(webhook: Webhook, response: Response) -> WebhookOut:
    shown = WebhookOut.of(webhook)
    response.headers["ETag"] = shown.etag
    return shown
