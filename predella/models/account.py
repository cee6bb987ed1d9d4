from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, String
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from predella.models.base import Record

if TYPE_CHECKING:
    from predella.models.membership import Membership


class Role(StrEnum):
    """What kind of work an account does."""

    DIGITIZER = "digitizer"
    CURATOR = "curator"
    APPROVER = "approver"
    REGISTRAR = "registrar"
    ADMIN = "admin"


_ROLES = ", ".join(f"'{role}'" for role in Role)
KNOWN_ROLES = f"roles <@ ARRAY[{_ROLES}]::varchar[]"
"""What must hold of a column of roles."""


class Account(Record):
    """A person or system that acts under its own name; never deleted, only disabled."""

    __tablename__ = "account"
    __table_args__ = (
        CheckConstraint(KNOWN_ROLES, name="known_roles"),
        CheckConstraint("name ~ '^[a-z0-9][a-z0-9._@-]{0,99}$'", name="name"),
    )

    name: Mapped[str] = mapped_column(unique=True)
    """What the account signs in with."""
    display_name: Mapped[str]
    """The name under an approved text."""
    roles: Mapped[list[str]] = mapped_column(ARRAY(String))
    """Those that hold in every collection; the others are its memberships."""
    password_hash: Mapped[str | None]
    """Argon2id; none for who signs in otherwise, or only uses tokens."""
    disabled_at: Mapped[datetime | None]
    preferences: Mapped[dict[str, object]] = mapped_column(default=dict)
    """How its pages are, where it chose: ``services.preferences.Preferences``."""

    memberships: Mapped[list["Membership"]] = relationship(
        lazy="raise_on_sql", back_populates="account"
    )
