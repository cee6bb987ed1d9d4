from datetime import datetime
from uuid import UUID

from pydantic import Field

from api.schemas.base import Hex, Out


class ReleaseOut(Out):
    """The exact identity of what wrote a text."""

    id: UUID
    created_at: datetime
    digest: Hex
    model_name: str
    notice: str | None
    base_model: str | None = Field(
        description="What it was made from, where its checkpoint says so: `name@revision`."
    )
    spec: dict[str, object]
