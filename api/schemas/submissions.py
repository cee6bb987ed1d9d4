from datetime import datetime
from uuid import UUID

from pydantic import ConfigDict, Field

from api.schemas.base import In, Line, Out, Text
from predella.models import Item, ItemState, Stage, SubmissionState
from predella.services.submissions import MAX_PREVIEW


class SubmissionIn(In):
    """A hand-in."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"source": "s3://museum-images/prints/manifest.csv", "title": "Box 12"}]
        }
    )

    source: Text = Field(
        max_length=1100,
        description="`s3://` address of a manifest (CSV or JSON Lines), or of a folder of images, "
        "which ends with a slash.",
    )
    title: Line | None = Field(None, description="What the team calls it.")
    number_pattern: Text | None = Field(
        None,
        max_length=500,
        description="How file names tell object numbers that no manifest tells: an RE2 pattern "
        "with the group `number`, and perhaps `view` and `sequence`. Left out: as the collection "
        "has it; empty: none.",
    )
    number_field: Text | None = Field(
        None,
        max_length=200,
        description="Which metadata of the pictures tells them before their names do, such as "
        "`dc:identifier`, `Iptc4xmpExt:ArtworkOrObject/AOSourceInvNo` or `2:103`. Left out: as "
        "the collection has it; empty: none.",
    )
    preview: int | None = Field(
        None, ge=1, le=MAX_PREVIEW, description="So many objects go first; the rest is held."
    )


class SubmissionOut(Out):
    """One hand-in by a digitization team."""

    id: UUID
    created_at: datetime
    collection_id: UUID
    account_id: UUID
    source: str
    title: str | None
    state: SubmissionState
    refusal: str | None = Field(description="Why the whole was refused.")
    same_as_id: UUID | None = Field(description="The earlier submission of the very same.")
    rows_read: int
    rows_accepted: int
    rows_refused: int
    received_at: datetime | None
    number_pattern: str | None
    number_field: str | None
    preview: int | None
    is_held: bool = Field(description="Items of it wait behind the preview.")
    is_withdrawn: bool = Field(description="Taken back; its history stays.")
    reason: str | None = Field(description="Why it was withdrawn, or restored, last.")


class ProgressOut(Out):
    """How far the items have come; each is counted once in the fields before the last."""

    preparing: int
    analyzing: int
    analyzed: int
    kept: int = Field(description="Further views of an object: prepared, and no more is to do.")
    failed: int
    withheld: int = Field(description="Kept from the model by the museum's own gates.")
    held: int = Field(description="Behind the preview.")
    withdrawn: int
    total: int


class RefusedOut(Out):
    """How many rows were refused for one reason."""

    code: str
    count: int
    harmless: bool = Field(description="Nobody needs to do anything about it.")


class FailureOut(Out):
    """How many items failed for one reason."""

    code: str
    count: int
    example: str


class SubmissionReportOut(SubmissionOut):
    """One hand-in, and what became of it so far."""

    progress: ProgressOut
    rights_unknown: int = Field(
        description="Items whose text cannot leave before rights are known."
    )
    files_without_row: int = Field(description="Pictures beside those of the manifest.")
    analysis_seconds: float | None = Field(
        description="About, for what is to be analyzed, at the rate that was measured last."
    )
    refused: list[RefusedOut]
    failures: list[FailureOut]


class RefusalOut(Out):
    """One row that was not accepted, or one file that no row names."""

    id: UUID
    row_number: int = Field(description="As the spreadsheet shows it; 0: a file without a row.")
    object_number: str | None
    filename: str | None
    code: str
    sentence: str


class ItemOut(Out):
    """One image of one object, and what became of it."""

    id: UUID
    submission_id: UUID
    row_number: int
    object_number: str
    title: str | None = Field(description="Null to who only reads, where the object is closed.")
    view: str | None
    is_primary: bool
    key: str
    stage: Stage
    state: ItemState
    attempt: int
    error_code: str | None
    error: str | None
    analysis_id: UUID | None
    finished_at: datetime | None

    @classmethod
    def of(cls, item: Item, *, in_full: bool) -> "ItemOut":
        """Write an item out; not in full, without the title of an object that is closed."""
        made = cls.model_validate(item)
        return made if in_full or item.is_open else made.model_copy(update={"title": None})


class RequeueIn(In):
    """Which failed items to try again; left out: all of them."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"codes": ["gave_up"]}]})

    codes: list[Line] | None = Field(None, min_length=1, max_length=50)
    item_ids: list[UUID] | None = Field(None, min_length=1, max_length=500)


class RequeuedOut(Out):
    """How many items will be tried again."""

    requeued: int


class ReasonIn(In):
    """Why it is done."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "The wrong folder."}]})

    reason: Text = Field(max_length=2_000, description="Kept in the audit log.")


class ReleasedOut(Out):
    """How many items go on that waited behind the preview."""

    released: int
