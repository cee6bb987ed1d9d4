from datetime import datetime
from uuid import UUID

from pydantic import ConfigDict, Field

from api.schemas.base import In, Out, Text
from predella.models import Remark
from predella.services.sayings import MAX_LENGTH


class RemarkIn(In):
    """Something to say about an analysis."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"text": "Is this the verso?"}]})

    text: Text = Field(min_length=1, max_length=MAX_LENGTH)


class RemarkOut(Out):
    """What somebody said about an analysis."""

    id: UUID
    created_at: datetime
    text: str
    said_by: str

    @classmethod
    def of(cls, remark: Remark) -> "RemarkOut":
        """Write a remark out."""
        return cls(
            id=remark.id,
            created_at=remark.created_at,
            text=remark.text,
            said_by=remark.account.display_name,
        )
