from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from predella.models.base import Base


class Skip(Base):
    """That one account wants to see an analysis last. Working state: a decision deletes it."""

    __tablename__ = "skip"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    analysis_id: Mapped[UUID] = mapped_column(
        ForeignKey("analysis.id"), primary_key=True, index=True
    )
    skipped_at: Mapped[datetime]
