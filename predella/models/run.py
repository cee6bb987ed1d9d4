from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from predella.models.base import Record


class Run(Record):
    """One drain of a model worker: from its first claim until nothing was left, or it was told."""

    __tablename__ = "run"
    __table_args__ = (
        CheckConstraint("batch_size > 0", name="batch_size"),
        Index("ix_run_updated", "updated_at"),
    )

    worker: Mapped[str]
    """Host and process."""
    model_name: Mapped[str]
    device: Mapped[str]
    batch_size: Mapped[int]
    """The most pictures that its engine works on at once."""
    updated_at: Mapped[datetime]
    """When the numbers below were true; they are renewed every few seconds."""
    ended_at: Mapped[datetime | None]
    """None while it goes on; for ever, if its process was killed."""
    images: Mapped[int] = mapped_column(default=0)
    """Pictures that the model wrote about."""
    duplicates: Mapped[int] = mapped_column(default=0)
    """Items that were given an analysis of their image that was there, or on its way."""
    failed: Mapped[int] = mapped_column(default=0)
    """Items whose attempt brought no analysis, whatever the reason."""
    tokens: Mapped[int] = mapped_column(BigInteger, default=0)
    """That the model wrote."""
    engine_seconds: Mapped[float] = mapped_column(default=0.0)
    """That the engine was at work."""
    occupied_seconds: Mapped[float] = mapped_column(default=0.0)
    """The same, each second multiplied by the share of its places that were at work."""
    starved_seconds: Mapped[float] = mapped_column(default=0.0)
    """Seconds multiplied by the share of the engine's places that stood empty, counted only
    while more work was being fetched or was seen in the ledger."""
