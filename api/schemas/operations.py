from datetime import datetime
from uuid import UUID

from pydantic import Field, computed_field

from api.schemas.base import Out
from predella.services.operations import OperationKind, OperationState


class OperationOut(Out):
    """A submission or an export, as work that somebody waits for."""

    id: UUID
    kind: OperationKind
    state: OperationState
    collection_id: UUID
    done: int
    total: int = Field(
        description="Items, or texts of an export; pictures to look at while a hand-in is read."
        " 0 while it is not known how many."
    )
    failed: int
    percent: int
    started_at: datetime
    ended_at: datetime | None
    seconds_left: float | None = Field(
        description="About how long until what is prepared is analyzed; null where nobody can say."
    )
    error: str | None

    @computed_field
    def subject(self) -> str:
        """Where the submission or export itself is."""
        return f"/v1/{self.kind}s/{self.id}"
