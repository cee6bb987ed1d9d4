from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from api.schemas.base import In, Line, Out, Text
from predella.models import Sensitivity


class GatesPatch(In):
    """What is to be different about an object from now on; what is left out stays."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"sensitivity": "restricted", "reason": "The community asked for it."}]
        }
    )

    sensitivity: Sensitivity | None = None
    sensitivity_note: Text | None = Field(None, description="For the curators alone.")
    ai_processing: bool | None = Field(None, description="Whether a model may see it.")
    exportable: bool | None = Field(None, description="Whether its text may leave.")
    embargo_until: date | None = Field(None, description="The first day on which it may leave.")
    rights_work: Line | None = Field(None, description="An address of a rights statement.")
    clear: list[Literal["sensitivity_note", "embargo_until", "rights_work"]] = Field(
        [], max_length=3, description="What is to be empty."
    )
    reason: Text = Field(max_length=2_000, description="Why; kept in the audit log.")


class GatesOut(Out):
    """What may be done with one object."""

    collection_id: UUID
    object_number: str
    sensitivity: Sensitivity
    sensitivity_note: str | None
    ai_processing: bool
    exportable: bool
    embargo_until: date | None
    rights_work: str | None = Field(description="Without it a text is written and cannot leave.")
    is_open: bool = Field(description="Whether a model may see it, and people read its text.")
    submission_id: UUID | None = Field(description="Whose manifest spoke last; else a person did.")
    account_id: UUID
    reason: str | None
    changed_at: datetime
