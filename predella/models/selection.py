from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from predella.models.account import Account
from predella.models.base import Record


class Selection(Record):
    """What a query found at one moment, frozen and counted, to be decided on at once."""

    __tablename__ = "selection"
    __table_args__ = (
        CheckConstraint("count > 0", name="count"),
        CheckConstraint("octet_length(sha256) = 32", name="sha256"),
    )

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    """Who froze it, and alone may decide on it."""
    query: Mapped[str]
    """In its canonical form."""
    count: Mapped[int]
    sha256: Mapped[bytes]
    """Of its members in their order, a line each: the analysis, a space, its wording's sha256."""
    expires_at: Mapped[datetime] = mapped_column(index=True)
    """From then on it may go, with its members, unless it was decided on."""

    account: Mapped[Account] = relationship(lazy="raise_on_sql")
