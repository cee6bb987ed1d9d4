from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from predella.models.account import Account
from predella.models.base import Record
from predella.models.collection import Collection


class EventType(StrEnum):
    """What a webhook may be told of."""

    SUBMISSION_FINISHED = "submission.finished"
    """Every row was accepted or refused, and every item has come to its end."""
    EXPORT_WRITTEN = "export.written"
    EXPORT_FAILED = "export.failed"
    ANALYSIS_APPROVED = "analysis.approved"
    ANALYSIS_REJECTED = "analysis.rejected"
    ANALYSIS_REOPENED = "analysis.reopened"
    """A decision was taken back: what was approved is so no more."""
    LOT_CONCLUDED = "lot.concluded"
    LOT_REVERTED = "lot.reverted"


_TYPES = ", ".join(f"'{one}'" for one in EventType)


class Webhook(Record):
    """An address of another system that wants to be told of events."""

    __tablename__ = "webhook"
    __table_args__ = (
        CheckConstraint(
            f"event_types <@ ARRAY[{_TYPES}]::varchar[] AND event_types <> '{{}}'",
            name="event_types",
        ),
        CheckConstraint("(disabled_at IS NULL) = (disabled_reason IS NULL)", name="disabled"),
    )

    url: Mapped[str]
    description: Mapped[str]
    event_types: Mapped[list[str]] = mapped_column(ARRAY(String))
    collection_id: Mapped[UUID | None] = mapped_column(ForeignKey("collection.id"))
    """Only events of this collection; of all where it is empty."""
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    changes: Mapped[int] = mapped_column(default=0)
    """How often somebody changed it: its ETag."""
    disabled_at: Mapped[datetime | None]
    disabled_reason: Mapped[str | None]
    failing_since: Mapped[datetime | None]
    """When the first delivery failed since one last arrived."""
    paused_until: Mapped[datetime | None]
    """After a failure nothing is tried for a moment: what is down answers nothing else either."""

    account: Mapped[Account] = relationship(lazy="raise_on_sql")
    collection: Mapped[Collection | None] = relationship(lazy="raise_on_sql")
