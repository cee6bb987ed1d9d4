from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from predella.models.account import Account
from predella.models.base import Record


class Way(StrEnum):
    """How somebody has signed in."""

    PASSWORD = "password"  # noqa: S105  (a word, not a secret)
    LINK = "link"
    OIDC = "oidc"
    PROXY = "proxy"


class WebSession(Record):
    """One time that somebody signed in with a browser; the cookie's secret is not stored."""

    __tablename__ = "web_session"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    sha256: Mapped[bytes] = mapped_column(unique=True)
    """Of the cookie; it has 256 random bits, so a fast digest is enough."""
    csrf: Mapped[str]
    """What every form of this session carries, and no other site can know."""
    way: Mapped[Way]
    user_agent: Mapped[str]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    """However busy it is."""
    ended_at: Mapped[datetime | None]
    """Signed out."""

    account: Mapped[Account] = relationship(lazy="raise_on_sql")
