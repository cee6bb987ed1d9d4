from datetime import date as Date  # noqa: N812  (``date`` is a column of the object)
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from predella.models.base import Record
from predella.models.prompt import DEFAULT_PROMPT


class Stage(StrEnum):
    """Which of the two kinds of work an item is at."""

    PREPARE = "prepare"
    ANALYZE = "analyze"


class ItemState(StrEnum):
    """How an item stands in its stage."""

    WAITING = "waiting"
    LEASED = "leased"
    """A worker has it until ``lease_until``."""
    DONE = "done"
    """Its analysis is written; or, for a further view of an object, it is prepared."""
    FAILED = "failed"
    """``error_code`` and ``error`` say why; ``predella requeue`` tries again."""
    WITHHELD = "withheld"
    """The museum's own gate (sensitivity, permission) keeps it from the model and the desk:
    that of its object, or of another that its picture shows."""
    HELD = "held"
    """A preview goes first; this is released, or withdrawn, when somebody has looked."""
    WITHDRAWN = "withdrawn"
    """Its submission was taken back; restoring that brings it back."""


class Sensitivity(StrEnum):
    """Whether a text about the object may be written, and may leave."""

    NONE = "none"
    REVIEW = "review"
    """May be written, may not leave before somebody has cleared it."""
    RESTRICTED = "restricted"
    """Neither."""


class Item(Record):
    """One image of one object in a submission."""

    __tablename__ = "item"
    __table_args__ = (
        UniqueConstraint("submission_id", "object_number", "key"),
        # Both mirror a word said once elsewhere: whoever changes it there changes it here.
        ForeignKeyConstraint(
            ["submission_id", "collection_id", "is_withdrawn"],
            ["submission.id", "submission.collection_id", "submission.is_withdrawn"],
            onupdate="CASCADE",
        ),
        ForeignKeyConstraint(
            ["collection_id", "object_number", "is_open"],
            ["object_gate.collection_id", "object_gate.object_number", "object_gate.is_open"],
            onupdate="CASCADE",
        ),
        ForeignKeyConstraint(["image_id", "collection_id"], ["image.id", "image.collection_id"]),
        ForeignKeyConstraint(["analysis_id", "image_id"], ["analysis.id", "analysis.image_id"]),
        CheckConstraint("(state = 'leased') = (lease_until IS NOT NULL)", name="lease_until"),
        CheckConstraint("(state = 'leased') = (lease_token IS NOT NULL)", name="lease_token"),
        CheckConstraint("(state = 'failed') = (error_code IS NOT NULL)", name="error"),
        CheckConstraint(
            "state <> 'done' OR image_id IS NOT NULL"
            " AND (analysis_id IS NOT NULL OR NOT is_primary)",
            name="done_means_analyzed",
        ),
        CheckConstraint(
            "stage = 'prepare' OR image_id IS NOT NULL", name="prepared_before_analyzed"
        ),
        CheckConstraint("image_id IS NULL OR sha256 IS NOT NULL", name="read_before_prepared"),
        CheckConstraint(
            "state NOT IN ('waiting', 'leased', 'done')"
            " OR is_open AND NOT is_beside_closed AND NOT is_withdrawn AND NOT is_held",
            name="gate",
        ),
        CheckConstraint("iiif_image ~ '^https://' AND iiif_image !~ '/$'", name="iiif_image"),
        Index("ix_item_ready", "stage", "priority", "id", postgresql_where="state = 'waiting'"),
        Index(
            "ix_item_suspect",
            "stage",
            "priority",
            "id",
            postgresql_where="state = 'waiting' AND attempt > 0",
        ),
        Index("ix_item_leased", "lease_until", postgresql_where="state = 'leased'"),
        Index("ix_item_object", "collection_id", "object_number", "key"),
        Index("ix_item_file", "collection_id", "etag"),
        Index("ix_item_sha256", "collection_id", "sha256", postgresql_where="sha256 IS NOT NULL"),
        Index("ix_item_picture", "picture_id", postgresql_where="picture_id IS NOT NULL"),
        Index("ix_item_submission", "submission_id", "id"),
        Index("ix_item_analysis", "analysis_id"),
        Index("ix_item_submission_state", "submission_id", "state"),
        Index("ix_item_submission_analysis", "submission_id", "analysis_id"),
    )

    submission_id: Mapped[UUID]
    collection_id: Mapped[UUID]
    row_number: Mapped[int]
    """As the team's spreadsheet shows it; for a prefix, the place in key order."""

    # The object, as the manifest tells it. Whether it may be worked on or leave, its gate says.
    object_number: Mapped[str]
    title: Mapped[str | None]
    artist: Mapped[str | None]
    artist_uri: Mapped[str | None]
    date: Mapped[str | None]
    medium: Mapped[str | None]
    dimensions: Mapped[str | None]
    object_uri: Mapped[str | None]
    view: Mapped[str | None]
    sequence: Mapped[int | None]
    is_primary: Mapped[bool]
    """The one view of its object that is analyzed; the others are kept beside it."""
    language: Mapped[str]
    rights_work: Mapped[str | None]
    rights_image: Mapped[str | None]
    iiif_image: Mapped[str | None]
    """Address of the image's own IIIF service; we tell it to catalogs and never ask it."""
    credit_line: Mapped[str | None]
    sensitivity: Mapped[Sensitivity]
    sensitivity_note: Mapped[str | None]
    labels: Mapped[str | None]
    ai_processing: Mapped[bool]
    exportable: Mapped[bool]
    """The manifest's column ``export``."""
    embargo_until: Mapped[Date | None]
    notes: Mapped[str | None]
    extra: Mapped[dict[str, str]]
    """Columns that we do not know; they come back in exports."""

    # The image, pinned when it was handed in.
    bucket: Mapped[str]
    key: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    etag: Mapped[str]
    version_id: Mapped[str | None]
    sha256: Mapped[bytes | None]
    """From the manifest, else from the first reading; pinned from then on."""
    prompt_id: Mapped[str] = mapped_column(ForeignKey("prompt.id"), default=DEFAULT_PROMPT)
    """What its collection asked when it was handed in."""
    image_id: Mapped[UUID | None]
    analysis_id: Mapped[UUID | None]

    picture_id: Mapped[UUID | None]
    """The same for all items of the same bytes, where they are of several objects; else None.

    Triggers see to it: the store's ETag and size tell before a file is read, its sha256 after.
    """

    # What keeps it back; a trigger puts ``state`` right when one of them changes.
    is_open: Mapped[bool] = mapped_column(default=True)
    """As the gate of its object says: see ``ObjectGate``."""
    is_beside_closed: Mapped[bool] = mapped_column(default=False)
    """Its picture shows another object that is closed: kept by a trigger."""
    is_withdrawn: Mapped[bool] = mapped_column(default=False)
    """As its submission says."""
    is_held: Mapped[bool] = mapped_column(default=False)
    """It waits behind a preview."""

    # The ledger.
    stage: Mapped[Stage] = mapped_column(default=Stage.PREPARE)
    state: Mapped[ItemState] = mapped_column(default=ItemState.WAITING)
    priority: Mapped[int] = mapped_column(SmallInteger, default=5)
    """Lower goes first."""
    attempt: Mapped[int] = mapped_column(SmallInteger, default=0)
    """Claims in this stage that have not been given back."""
    next_attempt_at: Mapped[datetime]
    lease_token: Mapped[UUID | None]
    lease_owner: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    error_code: Mapped[str | None]
    error: Mapped[str | None]
    """What went wrong, in words for a digitization team."""
    finished_at: Mapped[datetime | None]
