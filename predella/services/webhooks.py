"""Webhooks: addresses of other systems that are told of what happens here."""

from collections.abc import Collection as Names
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Select, exists, func, select, update
from sqlalchemy.orm import Session, joinedload

from predella import clock, ids, queue
from predella.errors import ConflictError, InvalidError, NotFoundError, UnavailableError
from predella.formats.text import normalise
from predella.ids import CollectionId, WebhookId
from predella.models import (
    Account,
    DeliveryState,
    EventType,
    Webhook,
    WebhookDelivery,
    WebhookEvent,
    WebhookSecret,
)
from predella.outside import places
from predella.services import collections, signatures
from predella.settings import get_settings

TEST = "webhook.test"
"""The type of the message that is only sent when somebody asks for it."""
OVERLAP = timedelta(hours=24)
"""How long a secret still signs beside the one that replaced it."""
_MAX_SECRETS = 5
_HOLD = {"key_share": True}
"""Whoever writes down an event meanwhile is not held up, and holds up nobody."""
_MAX_DESCRIPTION = 500


@dataclass(frozen=True)
class Wish:
    """What a webhook is to be like."""

    url: str
    event_types: Names[EventType]
    description: str = ""
    collection_id: CollectionId | None = None
    """Only events of this collection; of all where it is None."""


def add(session: Session, wish: Wish, *, account: Account) -> tuple[Webhook, str]:
    """Have an address told of events from now on; return it with its secret, shown this once.

    Raises:
        InvalidError: the address cannot be used or is not public, or no event is named.
        NotFoundError: there is no such collection.
        NoWebhookKeyError: this house has no key for webhooks.
    """
    webhook = Webhook(account=account, **_usable(session, wish))
    session.add(webhook)
    session.flush()
    return webhook, _new_secret(session, webhook)


def get(session: Session, webhook_id: WebhookId) -> Webhook:
    """Return one webhook with its collection and who added it.

    Raises:
        NotFoundError: there is none with this id.
    """
    found = session.scalar(_whole().where(Webhook.id == webhook_id))
    if found is None:
        raise NotFoundError("webhook", webhook_id)
    return found


def held(session: Session, webhook_id: WebhookId) -> Webhook:
    """Return one webhook, which nobody else changes until the transaction ends.

    Raises:
        NotFoundError: there is none with this id.
    """
    session.get(Webhook, webhook_id, with_for_update=_HOLD)
    return get(session, webhook_id)


def listed(session: Session, *, after: UUID | None = None, limit: int = 50) -> Sequence[Webhook]:
    """Return webhooks, the oldest first, the disabled ones among them."""
    page = _whole().order_by(Webhook.id).limit(limit)
    return session.scalars(page.where(Webhook.id > after) if after else page).all()


def change(session: Session, webhook: Webhook, wish: Wish) -> Webhook:
    """Have a webhook be like this from now on.

    Raises:
        InvalidError, NotFoundError: see `add`.
    """
    for name, value in _usable(session, wish).items():
        setattr(webhook, name, value)
    webhook.changes += 1
    session.flush()
    return session.get_one(Webhook, webhook.id, options=_PARTS, populate_existing=True)


def switch(session: Session, webhook: Webhook, *, enabled: bool) -> Webhook:
    """Tell a webhook of events again, or of nothing any more. Said twice it is said once.

    What it missed while it was disabled is not told later.

    Raises:
        InvalidError: it is to be enabled, and its address is not to be used any more.
    """
    if not enabled:
        return disable(session, webhook, reason="an administrator disabled it")
    if webhook.disabled_at is not None:
        _require_usable(webhook.url)
        webhook.disabled_at = webhook.disabled_reason = None
        webhook.failing_since = webhook.paused_until = None
        webhook.changes += 1
        session.flush()
    return webhook


def disable(session: Session, webhook: Webhook, *, reason: str) -> Webhook:
    """Tell a webhook of nothing any more; what waits has failed. Said twice it is said once."""
    if webhook.disabled_at is None:
        webhook.disabled_at, webhook.disabled_reason = clock.now(), reason
        webhook.changes += 1
        session.flush()
        session.execute(
            update(WebhookDelivery)
            .where(
                WebhookDelivery.webhook_id == webhook.id,
                WebhookDelivery.state == DeliveryState.WAITING,
            )
            .values(
                state=DeliveryState.FAILED,
                ended_at=clock.now(),
                error=func.coalesce(WebhookDelivery.error, f"the webhook is disabled: {reason}"),
            )
        )
    return webhook


def rotate(session: Session, webhook: Webhook) -> str:
    """Return a new secret, shown this once; the one before it still signs for 24 hours.

    Raises:
        ConflictError: five secrets hold already.
        NoWebhookKeyError: this house has no key for webhooks.
    """
    session.get(Webhook, webhook.id, with_for_update=_HOLD)
    if len(secret_ids(session, webhook)) >= _MAX_SECRETS:
        raise ConflictError(
            f"webhook {webhook.id}: {_MAX_SECRETS} secrets hold already; wait until the oldest"
            " has expired"
        )
    session.execute(
        update(WebhookSecret)
        .where(WebhookSecret.webhook_id == webhook.id, WebhookSecret.expires_at.is_(None))
        .values(expires_at=clock.now() + OVERLAP)
    )
    return _new_secret(session, webhook)


def secret_ids(session: Session, webhook: Webhook) -> Sequence[UUID]:
    """Return the generations of secrets that hold now, the newest first."""
    now = clock.now()
    return session.scalars(
        select(WebhookSecret.id)
        .where(
            WebhookSecret.webhook_id == webhook.id,
            WebhookSecret.expires_at.is_(None) | (WebhookSecret.expires_at > now),
        )
        .order_by(WebhookSecret.id.desc())
    ).all()


def test(session: Session, webhook: Webhook) -> WebhookDelivery:
    """Send a webhook a message that says nothing, to see whether it arrives.

    Raises:
        ConflictError: it is disabled.
    """
    require_enabled(webhook)
    event = WebhookEvent(
        id=ids.new(),
        created_at=clock.now(),
        type=TEST,
        collection_id=webhook.collection_id,
        path=f"/v1/webhooks/{webhook.id}",
        data={"webhook_id": str(webhook.id)},
    )
    session.add(event)
    session.flush()
    delivery = WebhookDelivery(webhook=webhook, event=event, next_attempt_at=clock.now())
    session.add(delivery)
    session.flush()
    queue.ring_after_commit(session, queue.DELIVER)
    return delivery


def require_enabled(webhook: Webhook) -> None:
    """Go on only if the webhook is told of anything.

    Raises:
        ConflictError: it is disabled.
    """
    if webhook.disabled_at is not None:
        raise ConflictError(
            f"webhook {webhook.id} is disabled ({webhook.disabled_reason}); enable it first"
        )


def ring(session: Session) -> None:
    """Have messages delivered as soon as this transaction has committed, if anybody listens.

    The database has written them down; without this they would wait for the next sweep.
    """
    if session.scalar(select(exists().where(Webhook.disabled_at.is_(None)))):
        queue.ring_after_commit(session, queue.DELIVER)


def _usable(session: Session, wish: Wish) -> dict[str, object]:
    if not wish.event_types:
        raise InvalidError(f"name at least one event of {', '.join(EventType)}")
    description = normalise(wish.description).strip()
    if len(description) > _MAX_DESCRIPTION:
        raise InvalidError(f"the description has more than {_MAX_DESCRIPTION} characters")
    if wish.collection_id is not None:
        collections.get(session, wish.collection_id)
    _require_usable(wish.url)
    return {
        "url": wish.url,
        "description": description,
        "event_types": sorted({one.value for one in wish.event_types}),
        "collection_id": wish.collection_id,
    }


def _require_usable(url: str) -> None:
    try:
        places.judge(url, private_networks=get_settings().webhook_private_networks)
    except UnavailableError as error:
        raise InvalidError(str(error)) from error


def _new_secret(session: Session, webhook: Webhook) -> str:
    made = WebhookSecret(id=ids.new(), webhook_id=webhook.id)
    shown = signatures.secret(made.id)
    session.add(made)
    session.flush()
    return shown


_PARTS = (joinedload(Webhook.collection), joinedload(Webhook.account))


def _whole() -> Select[Webhook]:
    return select(Webhook).options(*_PARTS)
