from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from predella.models.base import Record


class WebhookAttempt(Record):
    """One try to deliver, and how it ended."""

    __tablename__ = "webhook_attempt"

    delivery_id: Mapped[UUID] = mapped_column(
        ForeignKey("webhook_delivery.id", ondelete="CASCADE"), index=True
    )
    status_code: Mapped[int | None]
    """None where no answer came."""
    error: Mapped[str | None]
    seconds: Mapped[float]
