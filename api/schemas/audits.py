from datetime import datetime
from uuid import UUID

from pydantic import Field

from api.schemas.base import Hex, Out


class AuditEntryOut(Out):
    """One thing that somebody did."""

    seq: int
    at: datetime
    account_id: UUID | None = Field(description="Null: a command of the operator.")
    account_name: str | None
    action: str = Field(description="Noun and verb, such as `review.approved`.")
    subject_kind: str
    subject_id: str
    collection_id: UUID | None
    details: dict[str, object]
    number: int | None = Field(description="Place in the chain; null until it is sealed.")
    previous_hash: Hex | None
    hash: Hex | None
