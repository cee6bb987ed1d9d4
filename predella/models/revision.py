from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from predella.models.account import Account
from predella.models.analysis import Analysis
from predella.models.base import Record


class Revision(Record):
    """One wording of an analysis; number 0 is the model's own. Never edited, never deleted."""

    __tablename__ = "revision"
    __table_args__ = (
        UniqueConstraint("analysis_id", "number"),
        UniqueConstraint("analysis_id", "id", "sha256"),
        ForeignKeyConstraint(
            ["analysis_id", "restores_number"], ["revision.analysis_id", "revision.number"]
        ),
        CheckConstraint("(number = 0) = (account_id IS NULL)", name="author"),
        CheckConstraint("restores_number < number", name="restores_an_earlier"),
        CheckConstraint("sha256 = sha256(convert_to(text, 'UTF8'))", name="sha256"),
        CheckConstraint("edit_distance >= 0", name="edit_distance"),
        CheckConstraint("share_kept BETWEEN 0 AND 1", name="share_kept"),
    )

    analysis_id: Mapped[UUID] = mapped_column(ForeignKey("analysis.id"))
    number: Mapped[int]
    text: Mapped[str]
    """NFC, without control characters; normalised once, by ``formats.text.normalise``."""
    sha256: Mapped[bytes]
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    """Who amended; nobody for the model's own."""
    restores_number: Mapped[int | None]
    """The earlier wording that this one brings back."""
    edit_distance: Mapped[int | None]
    """Characters to insert, delete or replace in the model's own (Levenshtein); none for that."""
    share_kept: Mapped[float | None]
    """Share of the model's words that still stand, in their order: 0 to 1."""

    analysis: Mapped[Analysis] = relationship(lazy="raise_on_sql")
    account: Mapped[Account | None] = relationship(lazy="raise_on_sql")
