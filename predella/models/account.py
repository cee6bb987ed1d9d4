from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, String
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from predella.models.base import Record


class Role(StrEnum):
    """What kind of work an account does."""

    DIGITIZER = "digitizer"
    CURATOR = "curator"
    APPROVER = "approver"
    REGISTRAR = "registrar"
    ADMIN = "admin"


_ROLES = ", ".join(f"'{role}'" for role in Role)


class Account(Record):
    """A person or system that acts under its own name; never deleted, only disabled."""

    __tablename__ = "account"
    __table_args__ = (
        CheckConstraint(f"roles <@ ARRAY[{_ROLES}]::varchar[]", name="known_roles"),
        CheckConstraint("name ~ '^[a-z0-9][a-z0-9._@-]{0,99}$'", name="name"),
    )

    name: Mapped[str] = mapped_column(unique=True)
    """What the account signs in with."""
    display_name: Mapped[str]
    """The name under an approved text."""
    roles: Mapped[list[str]] = mapped_column(ARRAY(String))
    password_hash: Mapped[str | None]
    """Argon2id; none for who signs in otherwise, or only uses tokens."""
    disabled_at: Mapped[datetime | None]
    preferences: Mapped[dict[str, object]] = mapped_column(default=dict)
    """How its pages are, where it chose: ``services.preferences.Preferences``."""
