from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from predella import clock
from predella.models.account import Account
from predella.models.base import Base


class Claim(Base):
    """That somebody has an open analysis on screen, and until when nobody else is offered it.

    It decides nothing. It is working state, not history: renewed, taken over once it has run
    out, and deleted when somebody decides, skips or leaves.
    """

    __tablename__ = "claim"

    analysis_id: Mapped[UUID] = mapped_column(ForeignKey("analysis.id"), primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    until: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    account: Mapped[Account] = relationship(lazy="raise_on_sql")
