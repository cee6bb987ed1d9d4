from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, synonym

from predella import clock
from predella.models.base import Base


class Zoom(Base):
    """The pyramid of one large image, from which the desk cuts tiles; made when first wanted."""

    __tablename__ = "zoom"
    __table_args__ = (
        CheckConstraint("made_at IS NULL OR error IS NULL", name="one_end"),
        CheckConstraint("(lease_token IS NULL) = (lease_until IS NULL)", name="lease"),
        CheckConstraint(
            "lease_token IS NULL OR (made_at IS NULL AND error IS NULL)", name="leased_while_made"
        ),
        Index(
            "ix_zoom_waiting",
            "created_at",
            postgresql_where="made_at IS NULL AND error IS NULL",
        ),
    )

    image_id: Mapped[UUID] = mapped_column(ForeignKey("image.id"), primary_key=True)
    id: Mapped[UUID] = synonym("image_id")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    """When somebody first looked for it."""
    made_at: Mapped[datetime | None]
    error: Mapped[str | None]
    """Why there is none, in words; the smaller review image is shown then."""
    attempt: Mapped[int] = mapped_column(default=0)
    lease_token: Mapped[UUID | None]
    lease_until: Mapped[datetime | None]
