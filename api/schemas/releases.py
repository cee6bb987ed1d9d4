from datetime import datetime
from uuid import UUID

from api.schemas.base import Hex, Out


class ReleaseOut(Out):
    """The exact identity of what wrote a text."""

    id: UUID
    created_at: datetime
    digest: Hex
    model_name: str
    notice: str | None
    spec: dict[str, object]
