from datetime import datetime
from uuid import UUID

from pydantic import ConfigDict, Field

from api.schemas.base import In, Out, Text
from predella.formats.query import MAX_LENGTH
from predella.models import Lot, LotState
from predella.sampling import Plan
from predella.services.lots import MAX_MEMBERS, Judgement, Progress


class LotIn(In):
    """A lot to make."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"collection_id": "01931f6e-7c9a-7b3e-8c5e-0d5b3c1f2a44", "plan": "standard"}
            ]
        }
    )

    collection_id: UUID
    plan: Plan
    query: Text = Field(
        "", max_length=MAX_LENGTH, description="Only what it finds; without it, the whole."
    )
    analysis_ids: list[UUID] | None = Field(
        None,
        min_length=1,
        max_length=MAX_MEMBERS,
        description="Left out: every text of the collection that can be a member.",
    )


class ProgressOut(Out):
    """How far the reading of a sample has come, and what it says so far."""

    sample: int
    reviewed: int
    defects: int = Field(description="Rejected, amended, or sent for a new text.")
    upper_bound: float = Field(
        description="The share of bad texts that is not exceeded, with 95 % confidence."
    )
    can_pass: bool
    is_complete: bool


class LotOut(Out):
    """A frozen set of analyses that is accepted or refused by reading some of them."""

    id: UUID
    created_at: datetime
    collection_id: UUID
    account_id: UUID
    query: str = Field(description="In its canonical form; empty for the whole collection.")
    plan: Plan
    allowed: int = Field(description="Defects in the sample with which it still passes.")
    seed: int = Field(description="What the sample was drawn with.")
    member_count: int
    sample_count: int
    flagged_count: int = Field(
        description="Candidates that a check has something to say of: they are read one by one."
    )
    state: LotState
    defect_count: int | None = Field(description="In the sample, when it was concluded.")
    accepted_count: int = Field(description="Texts that nobody read and that were accepted.")
    concluded_at: datetime | None


class LotView(LotOut):
    """A lot, and how far the reading of its sample has come."""

    progress: ProgressOut

    @classmethod
    def of(cls, lot: Lot, found: Progress) -> "LotView":
        """Write a lot out."""
        shown = LotOut.model_validate(lot).model_dump()
        return cls(**shown, progress=ProgressOut.model_validate(found))


class SampledOut(Out):
    """One text of a sample."""

    analysis_id: UUID
    number: int = Field(description="1, 2, 3 ... in the order of reading.")
    judgement: Judgement | None = Field(description="Null while it is undecided.")
