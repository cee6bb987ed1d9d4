from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from predella.models.base import Record


class Refusal(Record):
    """One row of a submission that was not accepted, or one file that no row names."""

    __tablename__ = "refusal"
    __table_args__ = (
        UniqueConstraint("submission_id", "row_number", "filename", "object_number"),
        Index("ix_refusal_submission", "submission_id", "id"),
    )

    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submission.id"))
    row_number: Mapped[int]
    """As the team's spreadsheet shows it: the header is 1; 0 for a file without a row."""
    object_number: Mapped[str | None]
    filename: Mapped[str | None]
    code: Mapped[str]
    sentence: Mapped[str]
    """Why, in words for a digitization team."""
