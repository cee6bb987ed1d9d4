from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from predella.models.base import Base


class SelectionMember(Base):
    """One analysis of a selection, with the wording that was its newest then."""

    __tablename__ = "selection_member"
    __table_args__ = (
        UniqueConstraint("selection_id", "analysis_id"),
        ForeignKeyConstraint(
            ["analysis_id", "revision_id", "revision_sha256"],
            ["revision.analysis_id", "revision.id", "revision.sha256"],
        ),
    )

    selection_id: Mapped[UUID] = mapped_column(
        ForeignKey("selection.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """1, 2, 3 ... in the order in which they were found."""
    analysis_id: Mapped[UUID]
    revision_id: Mapped[UUID]
    revision_sha256: Mapped[bytes]
