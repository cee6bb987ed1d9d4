from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from api.schemas.base import Hex, In, Out, Text
from api.schemas.reviews import Note
from predella.formats.query import MAX_LENGTH
from predella.models import Decision, RejectionReason, Selection
from predella.services.bulks import BulkResult, Hindrance
from predella.services.selections import MAX_MEMBERS


class SelectionIn(In):
    """A query whose result is to be frozen."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"query": "state:needs_review check:loop collection:sk", "limit": 500}]
        }
    )

    query: Text = Field(max_length=MAX_LENGTH)
    limit: int | None = Field(None, ge=1, le=MAX_MEMBERS, description="Only the first so many.")


class SelectionOut(Out):
    """What a query found, frozen and counted."""

    id: UUID
    created_at: datetime
    expires_at: datetime
    query: str = Field(description="In its canonical form.")
    count: int
    sha256: Hex = Field(description="Names the list: equal lists have equal ones.")
    opened_by_me: int = Field(description="How many of the wordings the account has had open.")

    @classmethod
    def of(cls, selection: Selection, opened: int) -> "SelectionOut":
        """Write a selection out."""
        return cls(
            id=selection.id,
            created_at=selection.created_at,
            expires_at=selection.expires_at,
            query=selection.query,
            count=selection.count,
            sha256=selection.sha256.hex(),
            opened_by_me=opened,
        )


class BulkIn(In):
    """One decision on all of a selection."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"expected_count": 57, "decision": "rejected", "reason": "repetition"}]
        }
    )

    expected_count: int = Field(ge=1, le=MAX_MEMBERS, description="As many as it holds, or 409.")
    decision: Literal[Decision.APPROVED, Decision.REJECTED, Decision.REOPENED]
    reason: RejectionReason | None = Field(None, description="Why they are rejected.")
    note: Note | None = None


class RefusedOut(Out):
    """One member that was left as it is."""

    analysis_id: UUID
    why: Hindrance


class BulkOut(Out):
    """What became of a selection."""

    selection_id: UUID
    decision: Decision
    decided: int
    refused: list[RefusedOut]

    @classmethod
    def of(cls, result: BulkResult) -> "BulkOut":
        """Write a result out."""
        return cls(
            selection_id=result.selection.id,
            decision=result.decision,
            decided=result.decided,
            refused=[RefusedOut.model_validate(one) for one in result.refused],
        )
