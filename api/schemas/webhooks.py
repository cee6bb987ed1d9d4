from datetime import datetime
from uuid import UUID

from pydantic import ConfigDict, Field

from api.schemas.base import In, Line, Out
from predella.ids import CollectionId
from predella.models import DeliveryState, EventType, Webhook, WebhookDelivery
from predella.services.webhooks import Wish

_EVENTS = "What it is told of."
_COLLECTION = "Only events of this collection; null: of all."


class WebhookIn(In):
    """An address to be told of events."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "url": "https://catalog.museum.example/predella",
                    "event_types": ["export.written", "analysis.reopened"],
                }
            ]
        }
    )

    url: str = Field(max_length=2000, description="https, and public.")
    event_types: list[EventType] = Field(min_length=1, description=_EVENTS)
    description: str = Field("", max_length=500)
    collection_id: UUID | None = Field(None, description=_COLLECTION)

    def wish(self) -> Wish:
        """Return it as the service takes it."""
        within = CollectionId(self.collection_id) if self.collection_id else None
        return Wish(self.url, self.event_types, self.description, within)


class WebhookPatch(In):
    """What is to be different about a webhook; what is left out stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"enabled": True}]})

    url: str = Field("", max_length=2000, description="https, and public.")
    event_types: list[EventType] = Field(default=[], description=_EVENTS)
    description: str = Field("", max_length=500)
    collection_id: UUID | None = Field(None, description=_COLLECTION)
    enabled: bool = Field(default=True, description="False: it is told of nothing any more.")

    def wish(self, webhook: Webhook) -> Wish | None:
        """Return what the webhook is to be like; None where nothing of that is named."""
        named = self.model_dump(exclude_unset=True, exclude={"enabled"})
        fields = ("url", "event_types", "description", "collection_id")
        return Wish(**{name: getattr(webhook, name) for name in fields} | named) if named else None


class WebhookOut(Out):
    """An address that is told of events, without its secret."""

    id: UUID
    created_at: datetime
    url: str
    description: str
    event_types: list[EventType]
    collection_id: UUID | None
    account_id: UUID
    etag: str = Field(description="Send it as `If-Match`.")
    disabled_at: datetime | None
    disabled_reason: str | None
    failing_since: datetime | None = Field(description="Since when nothing has arrived.")

    @classmethod
    def of(cls, webhook: Webhook) -> "WebhookOut":
        """Return it as it stands."""
        shown = {name: getattr(webhook, name) for name in cls.model_fields if name != "etag"}
        return cls(etag=f'"w{webhook.changes}"', **shown)


class SecretOut(Out):
    """What to verify messages with; in this answer and in no other."""

    secret: Line = Field(description="As Standard Webhooks has it: `whsec_...`. Not shown again.")


class NewWebhookOut(WebhookOut):
    """A webhook just added; the only answer that holds its first secret."""

    secret: str = Field(description="As Standard Webhooks has it: `whsec_...`. Not shown again.")


class DeliveryOut(Out):
    """One event on its way to one webhook."""

    id: UUID
    created_at: datetime
    event_id: UUID = Field(description="The header `webhook-id` of every try.")
    event_type: str
    state: DeliveryState
    attempt: int
    next_attempt_at: datetime | None = Field(description="Null where it has ended.")
    ended_at: datetime | None
    status_code: int | None = Field(description="What the endpoint answered last.")
    error: str | None

    @classmethod
    def of(cls, delivery: WebhookDelivery) -> "DeliveryOut":
        """Return it as it stands."""
        waits = delivery.state is DeliveryState.WAITING
        return cls(
            id=delivery.id,
            created_at=delivery.created_at,
            event_id=delivery.event_id,
            event_type=delivery.event.type,
            state=delivery.state,
            attempt=delivery.attempt,
            next_attempt_at=delivery.next_attempt_at if waits else None,
            ended_at=delivery.ended_at,
            status_code=delivery.status_code,
            error=delivery.error,
        )


class AttemptOut(Out):
    """One try to deliver."""

    created_at: datetime
    status_code: int | None
    error: str | None
    seconds: float


class DeliveryView(DeliveryOut):
    """One delivery with every try."""

    attempts: list[AttemptOut]
