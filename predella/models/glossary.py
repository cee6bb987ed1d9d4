from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from predella.models.base import Record


class Glossary(Record):
    """One version of one list of terms of a collection; the newest of a name counts."""

    __tablename__ = "glossary"
    __table_args__ = (
        UniqueConstraint("collection_id", "name", "version"),
        CheckConstraint("name ~ '^[a-z0-9][a-z0-9-]{0,62}$'", name="name"),
        CheckConstraint("version > 0", name="version"),
    )

    collection_id: Mapped[UUID] = mapped_column(ForeignKey("collection.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    name: Mapped[str]
    version: Mapped[int]
    term_count: Mapped[int]
    sha256: Mapped[bytes]
    """Of its terms and all that stands by them."""
