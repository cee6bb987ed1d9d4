from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, SmallInteger, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from predella.models.base import Record
from predella.models.item import Stage


class Outcome(StrEnum):
    """How an attempt ended."""

    DONE = "done"
    FAILED = "failed"
    """The item is at fault."""
    RETRY = "retry"
    """Something that may pass was at fault."""
    RELEASED = "released"
    """Given back by a worker that was told to stop."""
    LOST = "lost"
    """Its worker fell silent; the sweep took the item back."""


class Attempt(Record):
    """One time that a worker took one item in hand."""

    __tablename__ = "attempt"
    __table_args__ = (
        UniqueConstraint("item_id", "lease_token"),
        Index("ix_attempt_open", "lease_token", postgresql_where="outcome IS NULL"),
    )

    item_id: Mapped[UUID] = mapped_column(ForeignKey("item.id"))
    stage: Mapped[Stage]
    number: Mapped[int] = mapped_column(SmallInteger)
    lease_token: Mapped[UUID]
    worker: Mapped[str]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[Outcome | None]
    error_code: Mapped[str | None]
    error: Mapped[str | None]
