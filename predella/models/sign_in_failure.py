from sqlalchemy import Index
from sqlalchemy.orm import Mapped

from predella.models.base import Record


class SignInFailure(Record):
    """One time that a name and a password did not fit. Append-only."""

    __tablename__ = "sign_in_failure"
    __table_args__ = (
        Index("ix_sign_in_failure_name", "name", "created_at"),
        Index("ix_sign_in_failure_address", "address", "created_at"),
    )

    name: Mapped[str]
    """As it was typed, shortened; there need not be such an account."""
    address: Mapped[str]
    """Where the request came from."""
