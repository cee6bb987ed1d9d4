from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from predella.models.base import Record


class Answer(Record):
    """What a request with a key of its own was answered, kept for who did not get the answer.

    It is written in the transaction of what the request did: there are both or neither.
    """

    __tablename__ = "answer"
    __table_args__ = (
        UniqueConstraint("account_id", "key"),
        CheckConstraint("length(key) BETWEEN 1 AND 255", name="key"),
        Index("ix_answer_created_at", "created_at"),
    )

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    key: Mapped[str]
    """Chosen by the caller."""
    request: Mapped[str]
    """Method and address, such as ``POST /v1/exports``."""
    sha256: Mapped[bytes]
    """Of the body that was sent."""
    status: Mapped[int]
    headers: Mapped[dict[str, str]]
    body: Mapped[bytes]
