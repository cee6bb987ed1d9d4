from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from predella.models.account import Account
from predella.models.base import Record
from predella.models.collection import Collection


class SubmissionState(StrEnum):
    """How far the hand-in itself has come; its items have states of their own."""

    RECEIVING = "receiving"
    """Its rows are still to be read, or are being read."""
    RECEIVED = "received"
    """Every row was accepted or refused."""
    REFUSED = "refused"
    """The whole was refused: ``refusal`` says why. It has no items."""
    UNCHANGED = "unchanged"
    """The same was handed in before: ``same_as_id``. It has no items."""


class Submission(Record):
    """One hand-in by a digitization team."""

    __tablename__ = "submission"
    __table_args__ = (
        UniqueConstraint("id", "collection_id", "is_withdrawn"),
        CheckConstraint("(state = 'refused') = (refusal IS NOT NULL)", name="refusal"),
        CheckConstraint("(state = 'unchanged') = (same_as_id IS NOT NULL)", name="same_as"),
        CheckConstraint("state = 'received' OR NOT is_withdrawn", name="received_then_withdrawn"),
        CheckConstraint("preview > 0", name="preview"),
        CheckConstraint("(lease_token IS NULL) = (lease_until IS NULL)", name="lease"),
        CheckConstraint(
            "state = 'receiving' OR lease_token IS NULL", name="leased_while_receiving"
        ),
        Index(
            "uq_submission_collection_id_digest",
            "collection_id",
            "digest",
            unique=True,
            postgresql_where="state = 'received' AND NOT is_withdrawn",
        ),
        Index("ix_submission_receiving", "created_at", postgresql_where="state = 'receiving'"),
        Index("ix_submission_unfinished", "created_at", postgresql_where="finished_at IS NULL"),
    )

    collection_id: Mapped[UUID] = mapped_column(ForeignKey("collection.id"), index=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    source: Mapped[str]
    """``s3://bucket/key`` of a manifest, or of a prefix (ends with a slash)."""
    title: Mapped[str | None]
    """What the team calls it: the file or folder they handed in."""
    state: Mapped[SubmissionState] = mapped_column(default=SubmissionState.RECEIVING)
    refusal: Mapped[str | None]
    same_as_id: Mapped[UUID | None] = mapped_column(ForeignKey("submission.id"))
    digest: Mapped[bytes | None]
    """Of everything handed in (manifest bytes, versions of the objects), and of the prompt."""
    pictures_looked_at: Mapped[int] = mapped_column(default=0)
    """How many headers were read by now, while it is received; known pictures are passed over."""
    pictures_to_look_at: Mapped[int] = mapped_column(default=0)
    rows_read: Mapped[int] = mapped_column(default=0)
    rows_accepted: Mapped[int] = mapped_column(default=0)
    rows_refused: Mapped[int] = mapped_column(default=0)
    number_pattern: Mapped[str | None]
    """How file names tell the object numbers that no manifest tells: ``formats.manifest``."""
    number_field: Mapped[str | None]
    """Which field of the pictures' metadata tells them before names do: ``formats.headers``."""
    preview: Mapped[int | None]
    """How many objects go first; the others are held until somebody has looked."""
    is_held: Mapped[bool] = mapped_column(default=False)
    """Whether items of it wait behind the preview."""
    is_withdrawn: Mapped[bool] = mapped_column(default=False)
    """Taken back: nothing of it goes on, is read or leaves; its history stays."""
    reason: Mapped[str | None]
    """Why it was withdrawn, or restored, last."""
    attempt: Mapped[int] = mapped_column(default=0)
    lease_token: Mapped[UUID | None]
    lease_until: Mapped[datetime | None]
    received_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    """When the sweep found that nothing of it is to be worked on any more."""

    collection: Mapped[Collection] = relationship(lazy="raise_on_sql")
    account: Mapped[Account] = relationship(lazy="raise_on_sql")
