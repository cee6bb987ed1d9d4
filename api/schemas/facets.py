from pydantic import Field

from api.schemas.base import Out
from predella.checks import CheckName
from predella.models import ReviewState


class FacetsOut(Out):
    """How many analyses there are of what."""

    states: dict[ReviewState, int]
    checks: dict[CheckName, int] = Field(
        description="Still to be decided, with something open to say from this check."
    )
    held: int = Field(description="Still to be decided, and held by a hard finding.")
    clean: int = Field(description="Still to be decided, without any open finding.")
