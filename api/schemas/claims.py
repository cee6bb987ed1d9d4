from datetime import datetime
from uuid import UUID

from pydantic import ConfigDict, Field

from api.schemas.analyses import AnalysisOut
from api.schemas.base import In, Out
from predella.services.claims import MAX_CLAIMS


class ClaimsIn(In):
    """What to read next."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"n": 3}]})

    collection_id: UUID | None = Field(None, description="Only of this collection.")
    n: int = Field(MAX_CLAIMS, ge=1, le=MAX_CLAIMS, description="How many at most.")


class LeaseOut(Out):
    """Until when nobody else is offered what the account holds."""

    until: datetime


class ClaimsOut(LeaseOut):
    """What the account holds now, in the order in which it is to be read."""

    data: list[AnalysisOut]
