from datetime import datetime

from pydantic import ConfigDict, Field

from api.schemas.analyses import AnalysisOut
from api.schemas.base import In, Out, Text
from predella.formats.query import MAX_LENGTH
from predella.services.claims import MAX_CLAIMS
from predella.services.searches import Order


class ClaimsIn(In):
    """What to read next."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"query": "collection:sk check:date", "n": 3}]}
    )

    query: Text = Field(
        "", max_length=MAX_LENGTH, description="Which texts; without it, every open one."
    )
    order: Order = Order.RISK
    n: int = Field(MAX_CLAIMS, ge=1, le=MAX_CLAIMS, description="How many at most.")


class LeaseOut(Out):
    """Until when nobody else is offered what the account holds."""

    until: datetime


class ClaimsOut(LeaseOut):
    """What the account holds now, in the order in which it is to be read."""

    data: list[AnalysisOut]
