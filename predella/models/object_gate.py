from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Computed, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from predella import clock
from predella.models.base import Base
from predella.models.item import Sensitivity


class ObjectGate(Base):
    """What may be done with one object of a collection: the one place that every gate reads.

    The newest word counts: of a manifest that says something new, or of a person with a reason.
    Items mirror ``is_open`` through a foreign key, so that a change reaches them in the same
    statement, and the database lets no item wait or be worked on that is not open.
    """

    __tablename__ = "object_gate"
    __table_args__ = (
        UniqueConstraint("collection_id", "object_number", "is_open"),
        CheckConstraint("submission_id IS NULL OR reason IS NULL", name="one_speaker"),
    )

    collection_id: Mapped[UUID] = mapped_column(ForeignKey("collection.id"), primary_key=True)
    object_number: Mapped[str] = mapped_column(primary_key=True)
    sensitivity: Mapped[Sensitivity]
    sensitivity_note: Mapped[str | None]
    ai_processing: Mapped[bool]
    exportable: Mapped[bool]
    embargo_until: Mapped[date | None]
    """The first day on which a text may leave."""
    rights_work: Mapped[str | None]
    """Without it a text is written, and does not leave."""
    is_open: Mapped[bool] = mapped_column(
        Computed("ai_processing AND sensitivity <> 'restricted'", persisted=True)
    )
    """Whether a model may see it, and people may read what it wrote."""
    told: Mapped[dict[str, object]]
    """What the newest manifest said: the same said again is no news, and undoes nobody's word."""
    submission_id: Mapped[UUID | None] = mapped_column(ForeignKey("submission.id"))
    """Whose manifest spoke last; None where a person did."""
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    """Who spoke last, or handed in the manifest that did."""
    reason: Mapped[str | None]
    """Why, where a person spoke."""
    changed_at: Mapped[datetime] = mapped_column(default=clock.now)
