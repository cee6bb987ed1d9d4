from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, String
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from predella.models.account import Account
from predella.models.base import Record


class Token(Record):
    """One key of an account to the API; the secret itself is not stored."""

    __tablename__ = "token"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    name: Mapped[str]
    """What it is for, in its owner's words."""
    sha256: Mapped[bytes] = mapped_column(unique=True)
    """Of the whole token; it has 256 random bits, so a fast digest is enough."""
    scopes: Mapped[list[str]] = mapped_column(ARRAY(String))
    """Never more than the account's roles allow at the time of use."""
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    account: Mapped[Account] = relationship(lazy="raise_on_sql")
