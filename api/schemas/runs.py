from datetime import datetime
from uuid import UUID

from pydantic import Field

from api.schemas.base import Out


class RunOut(Out):
    """One drain of a model worker: what it has done, and how fast."""

    id: UUID
    worker: str = Field(description="Host and process.")
    model_name: str
    device: str
    batch_size: int = Field(description="The most pictures that its engine works on at once.")
    started_at: datetime
    updated_at: datetime = Field(description="When the numbers were true.")
    ended_at: datetime | None = Field(description="Null while it goes on, or if it was killed.")
    images: int = Field(description="Pictures that the model wrote about.")
    duplicates: int = Field(description="Items that were given an analysis of the same image.")
    failed: int = Field(description="Items whose attempt brought no analysis.")
    tokens: int
    engine_seconds: float
    starved_seconds: float
    images_per_second: float
    tokens_per_second: float
    starved: float = Field(
        description="Share of the engine's places that stood empty though there was work, 0 to 1."
    )
    occupancy: float = Field(
        description="Share of the engine's places that were at work while it was, 0 to 1."
    )
