from sqlalchemy import CheckConstraint, Computed, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from predella.models.base import Record
from predella.models.prompt import Prompt


class Release(Record):
    """The exact identity of what wrote a text; two that differ in anything are two rows."""

    __tablename__ = "release"
    __table_args__ = (CheckConstraint("octet_length(digest) = 32", name="digest"),)

    digest: Mapped[bytes] = mapped_column(unique=True)
    """sha256 of the canonical JSON of ``spec``: ``predella.provenance``."""
    model_name: Mapped[str]
    notice: Mapped[str | None]
    """What must stand by every text of this release, on every surface."""
    base_model: Mapped[str | None]
    """What the checkpoint, or its adapter, says that it was made from, as ``name`` or
    ``name@revision``. It is no part of the identity, which the weights already are."""
    spec: Mapped[dict[str, object]]
    """A ``predella.provenance.ReleaseSpec``: weights, adapter, prompt, decoding, and so on."""
    prompt_id: Mapped[str] = mapped_column(
        ForeignKey("prompt.id"), Computed("spec ->> 'prompt_id'", persisted=True)
    )
    """Out of ``spec``."""

    prompt: Mapped[Prompt] = relationship(lazy="raise_on_sql")
