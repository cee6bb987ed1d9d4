from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from predella.models.base import Record


class WebhookSecret(Record):
    """One generation of what a webhook's messages are signed with; derived, never stored."""

    __tablename__ = "webhook_secret"
    __table_args__ = (
        Index(
            "uq_webhook_secret_current",
            "webhook_id",
            unique=True,
            postgresql_where="expires_at IS NULL",
        ),
    )

    webhook_id: Mapped[UUID] = mapped_column(ForeignKey("webhook.id"), index=True)
    expires_at: Mapped[datetime | None]
    """Until then it signs beside the one that replaced it."""
