from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints

from api.schemas.base import Hex, In, Line, Out, Text
from api.schemas.problems import Problem
from predella.models import Client, Decision, RejectionReason, Review, Revision
from predella.services.reviews import MAX_RULINGS, MAX_SECONDS_SEEN
from predella.services.sayings import MAX_LENGTH

Note = Annotated[Text, StringConstraints(strip_whitespace=True, max_length=MAX_LENGTH)]
"""What somebody wants to have said."""

SecondsSeen = Annotated[
    float | None,
    Field(ge=0, le=MAX_SECONDS_SEEN, description="How long the text had been on screen."),
]


class AmendmentIn(In):
    """A better wording."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"text": "A low horizon divides the canvas."}]}
    )

    text: Text = Field(max_length=100_000, description="The whole text, not only what changes.")


class ApprovalIn(In):
    """An approval of the wording that `If-Match` names."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"note": "Compared with the loan"}]})

    note: Note | None = None
    seconds_seen: SecondsSeen = None


class AmendedApprovalIn(In):
    """A better wording, and its approval."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"text": "A low horizon divides the canvas.", "seconds_seen": 41.5}]
        }
    )

    text: Text = Field(max_length=100_000, description="The whole text, not only what changes.")
    note: Note | None = None
    seconds_seen: SecondsSeen = None


class SecondOpinionIn(In):
    """That a second pair of eyes is wanted."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"colleague": "ines", "note": "Is it a vase?"}]}
    )

    colleague: Line | None = Field(
        None, description="The name of the account that is asked; null for whoever comes."
    )
    note: Note | None = None


class RejectionIn(In):
    """A rejection of the wording that `If-Match` names."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"reason": "invented_detail", "note": "There is no second figure."}]
        }
    )

    reason: RejectionReason
    note: Note | None = None
    seconds_seen: SecondsSeen = None


class DecisionIn(In):
    """One decision of a batch."""

    analysis_id: UUID
    revision: int = Field(ge=0, le=2**31 - 1, description="Number of the wording that was read.")
    decision: Literal[Decision.APPROVED, Decision.REJECTED]
    reason: RejectionReason | None = Field(None, description="Why it is rejected.")
    note: Note | None = None
    seconds_seen: SecondsSeen = None


class DecisionsIn(In):
    """Decisions on many analyses, each about a wording that was read."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "decisions": [
                        {
                            "analysis_id": "01931f6e-7c9a-7b3e-8c5e-0d5b3c1f2a44",
                            "revision": 0,
                            "decision": "approved",
                        }
                    ]
                }
            ]
        }
    )

    decisions: list[DecisionIn] = Field(min_length=1, max_length=MAX_RULINGS)
    atomic: bool = Field(
        default=False, description="All or nothing: 409 if one is forbidden, with its problem."
    )


class DecisionOut(Out):
    """What became of one decision of a batch."""

    analysis_id: UUID
    status: int = Field(description="As if it had been sent alone.")
    etag: str | None = Field(None, description="Names the new state.")
    problem: Problem | None = Field(None, description="What forbids it.")


class DecisionsOut(Out):
    """What became of each decision of a batch, in its order."""

    decided: int
    forbidden: int
    results: list[DecisionOut]


class WordingOut(Out):
    """A step that wrote a wording."""

    step: Literal["wording"] = "wording"
    id: UUID
    created_at: datetime
    number: int
    text: str
    sha256: Hex
    written_by: str | None = Field(description="Null for the model's own.")
    restores_number: int | None
    edit_distance: int | None = Field(
        description="Characters inserted, deleted or replaced in the model's own (Levenshtein)."
    )
    share_kept: float | None = Field(
        description="Share of the model's words that still stand, 0 to 1."
    )

    @classmethod
    def of(cls, revision: Revision) -> "WordingOut":
        """Write a revision out."""
        author = revision.account.display_name if revision.account else None
        return cls(
            id=revision.id,
            created_at=revision.created_at,
            number=revision.number,
            text=revision.text,
            sha256=revision.sha256,
            written_by=author,
            restores_number=revision.restores_number,
            edit_distance=revision.edit_distance,
            share_kept=revision.share_kept,
        )


class ReviewOut(Out):
    """A step that decided."""

    step: Literal["decision"] = "decision"
    id: UUID
    created_at: datetime
    number: int
    revision: int = Field(description="Number of the wording that was decided on.")
    revision_sha256: Hex
    decision: Decision
    reason: RejectionReason | None
    note: str | None
    decided_by: str
    undoes_id: UUID | None
    client: Client
    asked: str | None = Field(description="Whose second opinion is wanted.")
    seconds_seen: float | None = Field(description="How long the text had been on screen.")

    @classmethod
    def of(cls, review: Review) -> "ReviewOut":
        """Write a review out."""
        return cls(
            id=review.id,
            created_at=review.created_at,
            number=review.number,
            revision=review.revision.number,
            revision_sha256=review.revision_sha256,
            decision=review.decision,
            reason=review.reason,
            note=review.note,
            decided_by=review.account.display_name,
            undoes_id=review.undoes_id,
            client=review.client,
            asked=review.asked.display_name if review.asked else None,
            seconds_seen=review.seconds_seen,
        )


StepOut = Annotated[WordingOut | ReviewOut, Field(discriminator="step")]
