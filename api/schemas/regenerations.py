from datetime import datetime
from uuid import UUID

from pydantic import ConfigDict, Field

from api.schemas.base import In, Out
from api.schemas.reviews import Note
from predella.checks import CheckName
from predella.models import Regeneration, RegenerationState, RejectionReason


class RegenerationIn(In):
    """A wish for a new text in place of the wording that `If-Match` names."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "colour", "note": "The vase is red."}]}
    )

    reason: RejectionReason = Field(description="Why the text is given up.")
    note: Note | None = None
    without: list[CheckName] = Field(
        default=[],
        max_length=len(CheckName),
        description="Checks that flag a sentence of this text: sentences on which they speak are "
        "left out of the new one. What the model wrote is kept as wording 0.",
    )


class RegenerationOut(Out):
    """What became of a wish for a new text."""

    id: UUID
    created_at: datetime
    analysis_id: UUID = Field(description="The text that was given up.")
    asked_by: str
    reason: RejectionReason | None
    note: str | None
    without: list[str]
    sample: int = Field(description="Which further text about its image this is: 1, 2 ...")
    state: RegenerationState
    replaced_by_id: UUID | None = Field(description="The text that was written, once it is.")

    @classmethod
    def of(cls, wish: Regeneration) -> "RegenerationOut":
        """Write a regeneration out."""
        return cls(
            id=wish.id,
            created_at=wish.created_at,
            analysis_id=wish.analysis_id,
            asked_by=wish.review.account.display_name,
            reason=wish.review.reason,
            note=wish.review.note,
            without=wish.without,
            sample=wish.sample,
            state=wish.state,
            replaced_by_id=wish.replaced_by_id,
        )
