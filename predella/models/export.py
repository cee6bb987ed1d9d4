from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from predella.models.account import Account
from predella.models.base import Record
from predella.models.collection import Collection


class ExportFormat(StrEnum):
    """What a catalog system reads."""

    JSONL = "jsonl"
    CSV = "csv"
    LIDO = "lido"
    LINKED_ART = "linked-art"
    IIIF = "iiif"
    XMP = "xmp"
    PAINTINGFORM = "paintingform"
    OMEKA_S = "omeka-s"
    COLLECTIONSPACE_CORE = "collectionspace-core"
    COLLECTIONSPACE_FCART = "collectionspace-fcart"
    COLLECTIONSPACE_MEDIA = "collectionspace-media"
    COLLECTIVEACCESS = "collectiveaccess"


class ExportState(StrEnum):
    """How far an export has come."""

    WRITING = "writing"
    WRITTEN = "written"
    FAILED = "failed"


class Export(Record):
    """One hand-over of approved wordings to a catalog system."""

    __tablename__ = "export"
    __table_args__ = (
        CheckConstraint("(state = 'failed') = (error IS NOT NULL)", name="error"),
        CheckConstraint("(state = 'written') = (sha256 IS NOT NULL)", name="sha256"),
        CheckConstraint("(lease_token IS NULL) = (lease_until IS NULL)", name="lease"),
        CheckConstraint("state = 'writing' OR lease_token IS NULL", name="leased_while_writing"),
        CheckConstraint("profile IS NULL OR format = 'csv'", name="profile"),
        CheckConstraint("withdrawn_count BETWEEN 0 AND line_count", name="withdrawn_count"),
        CheckConstraint("texts_done BETWEEN 0 AND texts_total", name="texts_done"),
        Index(
            "uq_export_destination",
            "destination",
            unique=True,
            postgresql_where="state <> 'failed'",
        ),
        Index("ix_export_writing", "created_at", postgresql_where="state = 'writing'"),
    )

    collection_id: Mapped[UUID] = mapped_column(ForeignKey("collection.id"), index=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    format: Mapped[ExportFormat]
    profile: Mapped[str | None]
    """A museum's own columns for ``csv``, in YAML; as it was given."""
    since: Mapped[datetime | None]
    """Only what is different from what exports like this one had carried by then; None for all."""
    destination: Mapped[str]
    """``s3://bucket/key`` of the file."""
    state: Mapped[ExportState] = mapped_column(default=ExportState.WRITING)
    error: Mapped[str | None]
    texts_done: Mapped[int] = mapped_column(default=0)
    """How many texts were looked at by now; those of a delta that have not changed count."""
    texts_total: Mapped[int] = mapped_column(default=0)
    """Of about how many; 0 before anybody knows."""
    line_count: Mapped[int] = mapped_column(default=0)
    withdrawn_count: Mapped[int] = mapped_column(default=0)
    """How many of its lines withdraw what had left before."""
    size: Mapped[int] = mapped_column(BigInteger, default=0)
    sha256: Mapped[bytes | None]
    attempt: Mapped[int] = mapped_column(default=0)
    lease_token: Mapped[UUID | None]
    lease_until: Mapped[datetime | None]
    written_at: Mapped[datetime | None]
    audit_head: Mapped[bytes | None]
    """The newest hash of the audit log when it was written: later nobody can write that anew."""

    collection: Mapped[Collection] = relationship(lazy="raise_on_sql")
    account: Mapped[Account] = relationship(lazy="raise_on_sql")
