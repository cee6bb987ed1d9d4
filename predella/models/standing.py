from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from predella.models.base import Base


class ReviewState(StrEnum):
    """What the newest decision makes of an analysis; each stands further than the one before."""

    WITHHELD = "withheld"
    """The museum closed an object that its picture shows, or its hand-in was withdrawn."""
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
        """How far it has come: 0 for withheld, up to 6 for approved."""
        return list(ReviewState).index(self)


class Standing(Base):
    """Where one analysis stands: kept by triggers, never by us.

    It says nothing that other tables do not say. It is there so that "what still needs review,
    and what of it first" costs the same whether a hundred or a million are decided already.
    """

    __tablename__ = "standing"
    __table_args__ = (
        Index("ix_standing_state", "state", "analysis_id"),
        Index("ix_standing_collection_state", "collection_id", "state", "analysis_id"),
        Index("ix_standing_calm", "state", "calm", "analysis_id"),
        Index("ix_standing_collection_calm", "collection_id", "state", "calm", "analysis_id"),
        Index(
            "ix_standing_collection_confidence",
            "collection_id",
            "state",
            "confidence",
            "analysis_id",
        ),
        Index(
            "ix_standing_collection_object",
            "collection_id",
            "state",
            "object_number",
            "analysis_id",
        ),
        Index(
            "ix_standing_collection_shuffled",
            "collection_id",
            "state",
            # No hash of Postgres's own, which may change with its version.
            text("md5(CAST(analysis_id AS text))"),
            "analysis_id",
        ),
        # The collection last: where an account may not look everywhere, the index alone tells.
        Index(
            "ix_standing_account",
            "account_id",
            "state",
            "calm",
            "analysis_id",
            "collection_id",
            postgresql_where="account_id IS NOT NULL",
        ),
    )

    analysis_id: Mapped[UUID] = mapped_column(ForeignKey("analysis.id"), primary_key=True)
    collection_id: Mapped[UUID] = mapped_column(ForeignKey("collection.id"))
    state: Mapped[ReviewState]
    object_number: Mapped[str]
    """Of the item that it was written for."""
    confidence: Mapped[float]
    """The geometric mean of the probabilities of its tokens: 0 to 1."""
    hard: Mapped[int] = mapped_column(SmallInteger)
    """How many hard findings on its newest wording are open: any holds the approval."""
    soft: Mapped[int] = mapped_column(SmallInteger)
    info: Mapped[int] = mapped_column(SmallInteger)
    calm: Mapped[float]
    """The lower, the sooner somebody should look: ``confidence - soft - 1000 * hard``."""
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    """Whose the newest step is: an amendment or a decision, an undo too. Nobody's at first."""
