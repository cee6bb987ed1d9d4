"""Webhooks: who else is told of what happens, and what arrived. For admins."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from api.dependencies import Administrator, DbSession
from api.desk.listing import LIMIT, After, Before, listed
from api.desk.rendering import page
from api.preconditions import SeenOnPage, require_etag
from api.schemas.webhooks import WebhookOut
from predella.ids import CollectionId, WebhookDeliveryId, WebhookId
from predella.models import EventType, Webhook
from predella.services import collections, deliveries, webhooks
from predella.services.accounts import Principal
from predella.services.webhooks import Wish

router = APIRouter(prefix="/desk/webhooks")


def _wished(
    url: Annotated[str, Form(max_length=2000)],
    event_types: Annotated[list[EventType], Form(default_factory=list)],
    description: Annotated[str, Form(max_length=500)] = "",
    collection_id: Annotated[CollectionId | None, Form()] = None,
) -> Wish:
    return Wish(url.strip(), event_types, description, collection_id)


Wished = Annotated[Wish, Depends(_wished)]


@router.get("")
def webhooks_page(
    request: Request, session: DbSession, administrator: Administrator, after: After = None
) -> Response:
    """Show the webhooks, the oldest first."""
    found = webhooks.listed(session, after=after, limit=LIMIT)
    return page(
        request,
        "webhooks.html",
        principal=administrator,
        webhooks=listed(found, lambda one: one.id),
        types=list(EventType),
        collections=collections.listed(session, within=None, limit=200),
    )


@router.post("")
def add(
    request: Request,
    session: DbSession,
    administrator: Administrator,
    wish: Wished,
) -> Response:
    """Add a webhook, and show its secret: in this answer, and in no other."""
    webhook, secret = webhooks.add(session, wish, account=administrator.account)
    return _page(request, session, administrator, webhook, secret=secret)


@router.get("/{webhook_id}")
def webhook_page(
    request: Request,
    session: DbSession,
    administrator: Administrator,
    webhook_id: WebhookId,
    before: Before = None,
) -> Response:
    """Show one webhook and what was sent to it."""
    webhook = webhooks.get(session, webhook_id)
    return _page(request, session, administrator, webhook, before=before)


@router.post("/{webhook_id}")
def change(
    session: DbSession,
    _administrator: Administrator,
    webhook_id: WebhookId,
    wish: Wished,
    seen: SeenOnPage,
) -> Response:
    """Change what a webhook is told, and where."""
    webhook = webhooks.held(session, webhook_id)
    current = WebhookOut.of(webhook)
    require_etag([seen], current.etag, current)
    webhooks.change(session, webhook, wish)
    return _back(webhook_id)


@router.post("/{webhook_id}/secret")
def rotate(
    request: Request, session: DbSession, administrator: Administrator, webhook_id: WebhookId
) -> Response:
    """Make a new secret and show it: in this answer, and in no other."""
    webhook = webhooks.get(session, webhook_id)
    secret = webhooks.rotate(session, webhook)
    return _page(request, session, administrator, webhook, secret=secret)


@router.post("/{webhook_id}/test")
def send_test(session: DbSession, _administrator: Administrator, webhook_id: WebhookId) -> Response:
    """Send a message that says nothing."""
    webhooks.test(session, webhooks.get(session, webhook_id))
    return _back(webhook_id)


@router.post("/{webhook_id}/deliveries/{delivery_id}/replay")
def replay(
    session: DbSession,
    _administrator: Administrator,
    webhook_id: WebhookId,
    delivery_id: WebhookDeliveryId,
) -> Response:
    """Send a message again."""
    deliveries.replay(session, webhook_id, delivery_id)
    return _back(webhook_id)


@router.post("/{webhook_id}/switch")
def switch(
    session: DbSession,
    _administrator: Administrator,
    webhook_id: WebhookId,
    enabled: Annotated[bool, Form()],
) -> Response:
    """Tell a webhook of nothing any more, or of events again."""
    webhooks.switch(session, webhooks.held(session, webhook_id), enabled=enabled)
    return _back(webhook_id)


def _page(
    request: Request,
    session: DbSession,
    administrator: Principal,
    webhook: Webhook,
    *,
    secret: str | None = None,
    before: Before = None,
) -> Response:
    found = deliveries.listed(session, WebhookId(webhook.id), before=before, limit=LIMIT)
    return page(
        request,
        "webhook.html",
        principal=administrator,
        status=HTTPStatus.CREATED if secret else HTTPStatus.OK,
        webhook=webhook,
        seen=WebhookOut.of(webhook).etag,
        types=list(EventType),
        collections=collections.listed(session, within=None, limit=200),
        deliveries=listed(found, lambda one: one.id),
        secret=secret,
    )


def _back(webhook_id: WebhookId) -> Response:
    return RedirectResponse(f"/desk/webhooks/{webhook_id}", HTTPStatus.SEE_OTHER)
