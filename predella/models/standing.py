from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from predella.models.base import Base


class ReviewState(StrEnum):
    """What the newest decision makes of an analysis; each stands further than the one before."""

    SUPERSEDED = "superseded"
    """A new text was asked for in its place."""
    REJECTED = "rejected"
    NEEDS_REVIEW = "needs_review"
    """Nobody has decided, or the decision was undone."""
    NEEDS_SECOND = "needs_second"
    """Somebody asked for a second pair of eyes."""
    ACCEPTED_BY_SAMPLE = "accepted_by_sample"
    """It belongs to a lot that passed its sample."""
    APPROVED = "approved"
    """A person approved exactly this wording."""

    @property
    def rank(self) -> int:
        """How far it has come: 0 for superseded, up to 5 for approved."""
        return list(ReviewState).index(self)


class Standing(Base):
    """Where one analysis stands: kept by triggers on ``analysis`` and ``review``, never by us.

    It says nothing that those tables do not say. It is there so that "what still needs
    review" costs the same whether a hundred or a million are decided already.
    """

    __tablename__ = "standing"
    __table_args__ = (
        Index("ix_standing_state", "state", "analysis_id"),
        Index("ix_standing_collection_state", "collection_id", "state", "analysis_id"),
    )

    analysis_id: Mapped[UUID] = mapped_column(ForeignKey("analysis.id"), primary_key=True)
    collection_id: Mapped[UUID] = mapped_column(ForeignKey("collection.id"))
    state: Mapped[ReviewState]
