from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from predella.models.account import Account
from predella.models.base import Record


class SignInLink(Record):
    """One address that signs an account in, once; an operator hands it out."""

    __tablename__ = "sign_in_link"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    sha256: Mapped[bytes] = mapped_column(unique=True)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

    account: Mapped[Account] = relationship(lazy="raise_on_sql")
