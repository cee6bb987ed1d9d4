from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Identity, Index, func
from sqlalchemy.orm import Mapped, mapped_column

from predella.models.base import Base


class AuditEntry(Base):
    """One thing that somebody did: entered by the database, never edited, never deleted.

    It names accounts and subjects in words of its own, without foreign keys: it has to stand
    whatever becomes of them.
    """

    __tablename__ = "audit_entry"
    __table_args__ = (
        CheckConstraint("(number IS NULL) = (hash IS NULL)", name="sealed"),
        Index("ix_audit_entry_unsealed", "seq", postgresql_where="hash IS NULL"),
    )

    seq: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    account_id: Mapped[UUID | None]
    """Who; nobody where the operator's own commands did it."""
    account_name: Mapped[str | None]
    """As it was called then."""
    action: Mapped[str]
    """Noun and verb, such as ``review.approved``."""
    subject_kind: Mapped[str]
    subject_id: Mapped[str]
    collection_id: Mapped[UUID | None]
    details: Mapped[dict[str, object]]
    number: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    """Its place in the chain, from 1; none until it is sealed."""
    previous_hash: Mapped[bytes | None]
    hash: Mapped[bytes | None]
    """sha256 of the previous hash and of all that the entry says."""
