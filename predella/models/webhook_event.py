from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from predella.models.base import Base


class WebhookEvent(Base):
    """Something that happened and that a webhook listens for; written by the database itself.

    Alike decisions of one transaction are one event, so that a bulk is one message.
    """

    __tablename__ = "webhook_event"
    __table_args__ = (
        Index(
            "uq_webhook_event_transaction",
            "transaction_id",
            "created_at",
            "type",
            "collection_id",
            unique=True,
            postgresql_where="transaction_id IS NOT NULL",
        ),
        Index("ix_webhook_event_created_at", "created_at"),
    )

    id: Mapped[UUID] = mapped_column(
        primary_key=True, server_default=text("predella_new_id()"), sort_order=-2
    )
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"), sort_order=-1)
    type: Mapped[str]
    collection_id: Mapped[UUID | None]
    path: Mapped[str]
    """Where the API tells more."""
    data: Mapped[dict[str, object]]
    """Ids, numbers and digests; never a text."""
    transaction_id: Mapped[int | None] = mapped_column(BigInteger)
    """Of decisions: further ones of the same transaction are added to this event."""
