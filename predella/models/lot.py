from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from predella.models.account import Account
from predella.models.base import Record
from predella.models.collection import Collection
from predella.sampling import Plan


class LotState(StrEnum):
    """How far a lot has come."""

    OPEN = "open"
    """Its sample is being read."""
    PASSED = "passed"
    """What nobody read was accepted by sample."""
    FAILED = "failed"
    """Nothing was accepted; these wordings are read one by one."""
    REVERTED = "reverted"
    """It passed, and what it accepted was reopened."""


class Lot(Record):
    """A frozen set of analyses that is accepted or refused by reading some of them."""

    __tablename__ = "lot"
    __table_args__ = (
        UniqueConstraint("id", "state"),
        CheckConstraint("(state = 'open') = (concluded_at IS NULL)", name="concluded_at"),
        CheckConstraint("(state = 'open') = (concluded_by_id IS NULL)", name="concluded_by"),
        CheckConstraint("(state = 'open') = (defect_count IS NULL)", name="defect_count"),
        CheckConstraint(
            "state NOT IN ('passed', 'reverted') OR defect_count <= allowed", name="passed"
        ),
        CheckConstraint("0 < sample_count AND sample_count <= member_count", name="sample"),
    )

    collection_id: Mapped[UUID] = mapped_column(ForeignKey("collection.id"), index=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    query: Mapped[str]
    """Which texts of the collection were asked for, in its canonical form; empty for all."""
    plan: Mapped[Plan]
    allowed: Mapped[int]
    """Defects in the sample with which it still passes."""
    seed: Mapped[int] = mapped_column(BigInteger)
    """What the sample was drawn with: `sampling.draw`."""
    member_count: Mapped[int]
    sample_count: Mapped[int]
    flagged_count: Mapped[int]
    """Candidates that a check has something to say of: they are read one by one."""
    state: Mapped[LotState] = mapped_column(default=LotState.OPEN)
    defect_count: Mapped[int | None]
    """In the sample, when it was concluded."""
    accepted_count: Mapped[int] = mapped_column(default=0)
    """Texts that nobody read and that were accepted by sample."""
    concluded_at: Mapped[datetime | None]
    concluded_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))

    collection: Mapped[Collection] = relationship(lazy="raise_on_sql")
    account: Mapped[Account] = relationship(lazy="raise_on_sql", foreign_keys=[account_id])
