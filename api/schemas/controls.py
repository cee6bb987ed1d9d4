from datetime import datetime
from uuid import UUID

from pydantic import ConfigDict, Field

from api.schemas.base import In, Out
from predella.models import RejectionReason


class ControlIn(In):
    """A text that is known to be bad, to be left in the queue."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "analysis_id": "01931f6e-7c9a-7b3e-8c5e-0d5b3c1f2a44",
                    "expected": "invented_detail",
                }
            ]
        }
    )

    analysis_id: UUID
    expected: RejectionReason = Field(description="What is wrong with it.")


class ControlOut(Out):
    """A control item. Its wording never leaves, whatever is decided on it."""

    id: UUID
    created_at: datetime
    analysis_id: UUID
    expected: RejectionReason
    account_id: UUID = Field(description="Who seeded it.")
    revealed_at: datetime | None


class DetectionOut(Out):
    """How many control items of a collection were found; never by person."""

    seeded: int
    caught: int = Field(description="Rejected, amended, or sent for a new text.")
    missed: int = Field(description="Approved as they were.")
    waiting: int
    rate: float | None = Field(description="Caught of decided; null while none is decided.")
