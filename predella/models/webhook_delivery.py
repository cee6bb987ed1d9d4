from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from predella.models.base import Record
from predella.models.webhook import Webhook
from predella.models.webhook_event import WebhookEvent


class DeliveryState(StrEnum):
    """How far the telling has come."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


class WebhookDelivery(Record):
    """One event on its way to one webhook."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        CheckConstraint("(state = 'waiting') = (ended_at IS NULL)", name="ended_at"),
        Index(
            "ix_webhook_delivery_waiting", "next_attempt_at", postgresql_where="state = 'waiting'"
        ),
        Index("ix_webhook_delivery_webhook", "webhook_id", "id"),
    )

    webhook_id: Mapped[UUID] = mapped_column(ForeignKey("webhook.id"))
    event_id: Mapped[UUID] = mapped_column(
        ForeignKey("webhook_event.id", ondelete="CASCADE"), index=True
    )
    state: Mapped[DeliveryState] = mapped_column(default=DeliveryState.WAITING)
    attempt: Mapped[int] = mapped_column(default=0)
    """Tries since it was asked for, or asked for again."""
    next_attempt_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    status_code: Mapped[int | None]
    """What the endpoint answered last."""
    error: Mapped[str | None]
    """Why the last try did not arrive, in words."""

    webhook: Mapped[Webhook] = relationship(lazy="raise_on_sql")
    event: Mapped[WebhookEvent] = relationship(lazy="raise_on_sql")
