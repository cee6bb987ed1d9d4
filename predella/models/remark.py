from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from predella.models.account import Account
from predella.models.base import Record


class Remark(Record):
    """What somebody said about an analysis, for the others to read. Append-only."""

    __tablename__ = "remark"
    __table_args__ = (
        Index("ix_remark_analysis", "analysis_id", "id"),
        CheckConstraint("text <> ''", name="text"),
    )

    analysis_id: Mapped[UUID] = mapped_column(ForeignKey("analysis.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    text: Mapped[str]

    account: Mapped[Account] = relationship(lazy="raise_on_sql")
