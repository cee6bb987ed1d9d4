from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from predella import clock
from predella.models.base import Base


class Opening(Base):
    """An account had this wording open. Append-only; nobody approves what they had not."""

    __tablename__ = "opening"
    __table_args__ = (
        ForeignKeyConstraint(
            ["analysis_id", "revision_id", "revision_sha256"],
            ["revision.analysis_id", "revision.id", "revision.sha256"],
        ),
    )

    revision_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    analysis_id: Mapped[UUID]
    revision_sha256: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    """When it was opened first."""
