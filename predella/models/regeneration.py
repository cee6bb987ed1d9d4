from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, String
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from predella.models.base import Record
from predella.models.review import Review


class RegenerationState(StrEnum):
    """What became of the wish for a new text."""

    WAITING = "waiting"
    """A worker is still to write it, or is at it."""
    WRITTEN = "written"
    """The new text stands in the old one's place."""
    WITHDRAWN = "withdrawn"
    """It was undone before anything was written."""
    RETURNED = "returned"
    """The new text came, and the old one was taken up again."""


class Regeneration(Record):
    """One wish for a new text in place of one analysis; its review says whose, and why."""

    __tablename__ = "regeneration"
    __table_args__ = (
        CheckConstraint("sample > 0", name="sample"),
        CheckConstraint(
            "(state IN ('written', 'returned')) = (replaced_by_id IS NOT NULL)", name="replaced_by"
        ),
        Index(
            "uq_regeneration_live",
            "analysis_id",
            unique=True,
            postgresql_where="state IN ('waiting', 'written')",
        ),
        Index("uq_regeneration_item", "item_id", unique=True, postgresql_where="state = 'waiting'"),
        Index("ix_regeneration_image", "image_id"),
    )

    review_id: Mapped[UUID] = mapped_column(ForeignKey("review.id"), unique=True)
    """The decision that superseded the analysis."""
    analysis_id: Mapped[UUID] = mapped_column(ForeignKey("analysis.id"), index=True)
    """What is to be replaced."""
    image_id: Mapped[UUID] = mapped_column(ForeignKey("image.id"))
    item_id: Mapped[UUID] = mapped_column(ForeignKey("item.id"))
    """The item that went back to the model; all that share the analysis follow it."""
    without: Mapped[list[str]] = mapped_column(ARRAY(String), default=list)
    """Checks: a sentence on which one of them speaks is left out of the new text."""
    sample: Mapped[int] = mapped_column(SmallInteger)
    """What ``Analysis.sample`` of the new text is to be."""
    state: Mapped[RegenerationState] = mapped_column(default=RegenerationState.WAITING)
    replaced_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("analysis.id"), index=True)

    review: Mapped[Review] = relationship(lazy="raise_on_sql")
