from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from predella.models.account import Account
from predella.models.base import Record
from predella.models.revision import Revision


class Decision(StrEnum):
    """What an account decided; the newest decision on an analysis counts."""

    APPROVED = "approved"
    REJECTED = "rejected"
    NEEDS_SECOND = "needs_second"
    """A second pair of eyes is asked for: nothing is settled by it."""
    ACCEPTED_BY_SAMPLE = "accepted_by_sample"
    """Its lot passed; nobody needs to have read this very text."""
    SUPERSEDED = "superseded"
    """A new text was asked for in its place."""
    REOPENED = "reopened"
    """An earlier decision was undone."""

    @property
    def settles(self) -> bool:
        """Whether a text so decided needs an undo before anything else can be decided on it."""
        return self not in {Decision.NEEDS_SECOND, Decision.REOPENED}


class RejectionReason(StrEnum):
    """Why a text was rejected."""

    WRONG_SUBJECT = "wrong_subject"
    INVENTED_DETAIL = "invented_detail"
    COLOUR = "colour"
    NAMES_OR_DATES = "names_or_dates"
    STYLE = "style"
    LANGUAGE = "language"
    REPETITION = "repetition"
    BAD_IMAGE = "bad_image"
    OTHER = "other"


class Client(StrEnum):
    """Through which door a decision came."""

    API = "api"
    CLI = "cli"
    DESK = "desk"


class Review(Record):
    """One decision of one account about one wording. Append-only."""

    __tablename__ = "review"
    __table_args__ = (
        UniqueConstraint("analysis_id", "number"),
        UniqueConstraint("id", "analysis_id", "revision_id", "revision_sha256", "decision"),
        ForeignKeyConstraint(
            ["analysis_id", "revision_id", "revision_sha256"],
            ["revision.analysis_id", "revision.id", "revision.sha256"],
        ),
        CheckConstraint(
            "(decision IN ('rejected', 'superseded')) = (reason IS NOT NULL)", name="reason"
        ),
        CheckConstraint("(decision = 'reopened') = (undoes_id IS NOT NULL)", name="undoes"),
        CheckConstraint("asked_id IS NULL OR decision = 'needs_second'", name="asked"),
        CheckConstraint("seconds_seen BETWEEN 0 AND 86400", name="seconds_seen"),
        Index("ix_review_account", "account_id", "id"),
        CheckConstraint("(decision = 'accepted_by_sample') = (lot_id IS NOT NULL)", name="lot"),
        # What is accepted by sample is a member of the lot, in the wording frozen there.
        ForeignKeyConstraint(
            ["lot_id", "analysis_id", "revision_id", "revision_sha256"],
            [
                "lot_member.lot_id",
                "lot_member.analysis_id",
                "lot_member.revision_id",
                "lot_member.revision_sha256",
            ],
            name="fk_review_lot_member",
        ),
        Index("ix_review_lot", "lot_id", postgresql_where="lot_id IS NOT NULL"),
    )

    analysis_id: Mapped[UUID] = mapped_column(ForeignKey("analysis.id"))
    number: Mapped[int]
    """1, 2, 3 ... in the order of decision; given under the lock on the analysis."""
    revision_id: Mapped[UUID] = mapped_column(index=True)
    revision_sha256: Mapped[bytes]
    """With ``revision_id``: exactly this wording was decided on."""
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    decision: Mapped[Decision]
    reason: Mapped[RejectionReason | None]
    note: Mapped[str | None]
    undoes_id: Mapped[UUID | None] = mapped_column(ForeignKey("review.id"), unique=True)
    client: Mapped[Client]
    asked_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    """Whose second opinion is wanted; nobody's in particular where it is empty."""
    seconds_seen: Mapped[float | None]
    """How long the wording had been on screen, as the client says."""
    selection_id: Mapped[UUID | None] = mapped_column(ForeignKey("selection.id"), index=True)
    """The selection that was decided on as a whole, or taken back as a whole."""
    lot_id: Mapped[UUID | None]
    """The lot whose sample passed, for what was accepted by it."""

    revision: Mapped[Revision] = relationship(
        lazy="raise_on_sql", primaryjoin="foreign(Review.revision_id) == Revision.id", viewonly=True
    )
    account: Mapped[Account] = relationship(lazy="raise_on_sql", foreign_keys=[account_id])
    asked: Mapped[Account | None] = relationship(lazy="raise_on_sql", foreign_keys=[asked_id])
