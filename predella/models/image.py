from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from predella.models.base import Record


class Image(Record):
    """One distinct picture file of a collection, known by its bytes.

    The prepared forms lie in our own bucket; ``services.images`` knows their keys.
    """

    __tablename__ = "image"
    __table_args__ = (
        UniqueConstraint("collection_id", "sha256"),
        UniqueConstraint("id", "collection_id"),
        CheckConstraint("octet_length(sha256) = 32", name="sha256"),
    )

    collection_id: Mapped[UUID] = mapped_column(ForeignKey("collection.id"))
    sha256: Mapped[bytes]
    """Of the original's bytes."""
    size: Mapped[int]
    """Bytes of the original."""
    format: Mapped[str]
    width: Mapped[int]
    """Pixels, upright."""
    height: Mapped[int]
    preprocessing: Mapped[str]
    """The version of our preparation that wrote the prepared forms."""
    model_sha256: Mapped[bytes]
    """Of the model-ready image: the very bytes that the model is given."""
    facts: Mapped[dict[str, object]]
    """What was measured from the pixels, and what was changed on the way."""
    prepared_at: Mapped[datetime]
