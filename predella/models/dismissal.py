from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from predella.models.account import Account
from predella.models.base import Record
from predella.models.review import Client


class Dismissal(Record):
    """One decision of one account that a finding is no fault, or is one after all. Append-only.

    The newest for its fingerprint counts. So it outlives a new run of the checks, and an
    amendment elsewhere in the text; it ends when the sentence itself is changed.
    """

    __tablename__ = "dismissal"
    __table_args__ = (
        UniqueConstraint("analysis_id", "number"),
        ForeignKeyConstraint(
            ["finding_id", "analysis_id", "fingerprint"],
            ["finding.id", "finding.analysis_id", "finding.fingerprint"],
        ),
        CheckConstraint("dismissed = (reason IS NOT NULL)", name="reason"),
        Index("ix_dismissal_fingerprint", "analysis_id", "fingerprint", "number"),
    )

    analysis_id: Mapped[UUID] = mapped_column(ForeignKey("analysis.id"))
    number: Mapped[int]
    """1, 2, 3 ... for one analysis, in the order of decision; given under the lock on it."""
    finding_id: Mapped[UUID]
    """The one that was on screen."""
    fingerprint: Mapped[bytes]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    dismissed: Mapped[bool]
    """False: an earlier dismissal was withdrawn."""
    reason: Mapped[str | None]
    """Why it is no fault, in words."""
    client: Mapped[Client]

    account: Mapped[Account] = relationship(lazy="raise_on_sql")
