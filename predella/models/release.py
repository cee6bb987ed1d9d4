from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from predella.models.base import Record


class Release(Record):
    """The exact identity of what wrote a text; two that differ in anything are two rows."""

    __tablename__ = "release"
    __table_args__ = (CheckConstraint("octet_length(digest) = 32", name="digest"),)

    digest: Mapped[bytes] = mapped_column(unique=True)
    """sha256 of the canonical JSON of ``spec``: ``predella.provenance``."""
    model_name: Mapped[str]
    notice: Mapped[str | None]
    """What must stand by every text of this release, on every surface."""
    spec: Mapped[dict[str, object]]
    """A ``predella.provenance.ReleaseSpec``: weights, adapter, prompt, decoding, and so on."""
