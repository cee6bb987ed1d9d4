from datetime import datetime
from uuid import UUID

from pydantic import ConfigDict, Field

from api.schemas.base import Hex, In, Out, Text
from predella.models import ExportFormat, ExportState
from predella.services.exports import ExportedLine


class ExportIn(In):
    """An export to write."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"collection_id": "01931f6e-7c9a-7b3e-8c5e-0d5b3c1f2a44", "format": "lido"}
            ]
        }
    )

    collection_id: UUID
    format: ExportFormat
    destination: Text | None = Field(
        None,
        max_length=1100,
        description="`s3://` address below `exports/` in our own bucket; left out: one is chosen.",
    )
    profile: Text | None = Field(
        None,
        max_length=100_000,
        description="Your own columns for `csv`, in YAML: see Catalog formats.",
    )
    since: UUID | datetime | None = Field(
        None,
        description="A written export of the same collection, format and profile, or a moment: only"
        " what changed since, and what is withdrawn. Left out: everything.",
    )


class ExportOut(Out):
    """One hand-over of approved wordings to a catalog system."""

    id: UUID
    created_at: datetime
    collection_id: UUID
    account_id: UUID
    format: ExportFormat
    profile: str | None
    since: datetime | None = Field(description="A delta: what changed since; null for everything.")
    destination: str
    state: ExportState
    error: str | None
    texts_done: int = Field(description="How many texts were looked at by now.")
    texts_total: int = Field(description="Of about how many; 0 before anybody knows.")
    line_count: int
    withdrawn_count: int = Field(description="How many of the lines withdraw an earlier one.")
    size: int = Field(description="Bytes of the file.")
    sha256: Hex | None = Field(description="Of the file.")
    written_at: datetime | None
    audit_head: Hex | None = Field(
        description="The newest hash of the audit log when the file was written."
    )


class ExportLineOut(Out):
    """One approved wording that left, in exactly that form, or what withdraws it again."""

    number: int = Field(description="In the order of the file, from 1.")
    object_number: str
    item_id: UUID
    analysis_id: UUID
    revision_id: UUID
    revision_sha256: Hex
    review_id: UUID = Field(description="The approval that it left by.")
    sha256: Hex = Field(
        description="Of the bytes of its record in the file; texts of one object may share it."
    )
    is_withdrawn: bool = Field(description="It left in an earlier export, and is withdrawn here.")

    @classmethod
    def of(cls, exported: ExportedLine) -> "ExportLineOut":
        """Write a line out."""
        line = exported.line
        return cls(
            number=exported.number,
            object_number=exported.object_number,
            item_id=line.item_id,
            analysis_id=line.analysis_id,
            revision_id=line.revision_id,
            revision_sha256=line.revision_sha256,
            review_id=line.review_id,
            sha256=exported.sha256,
            is_withdrawn=exported.is_withdrawn,
        )
