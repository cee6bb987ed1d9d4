from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, SmallInteger, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from predella.models.base import Record
from predella.models.image import Image
from predella.models.release import Release


class FinishReason(StrEnum):
    """Why the model stopped writing."""

    STOP = "stop"
    """It ended the text itself."""
    LENGTH = "length"
    """It ran into the limit: the text is cut."""


class Analysis(Record):
    """One text as the model wrote it; never edited, never deleted (a trigger holds that)."""

    __tablename__ = "analysis"
    __table_args__ = (
        UniqueConstraint("image_id", "release_id", "sample"),
        UniqueConstraint("id", "image_id"),
        CheckConstraint("octet_length(model_sha256) = 32", name="model_sha256"),
    )

    image_id: Mapped[UUID] = mapped_column(ForeignKey("image.id"))
    release_id: Mapped[UUID] = mapped_column(ForeignKey("release.id"), index=True)
    sample: Mapped[int] = mapped_column(SmallInteger, default=0)
    """0 for the first; a further text of the same release for the same image counts up."""
    item_id: Mapped[UUID] = mapped_column(ForeignKey("item.id", use_alter=True))
    """The item that it was written for; duplicates of the image share it."""
    lease_token: Mapped[UUID] = mapped_column(index=True)
    """The claim that wrote it."""
    language: Mapped[str]
    text: Mapped[str]
    """Byte for byte what the model wrote, but for NUL, which Postgres cannot hold."""
    rendered_prompt: Mapped[str]
    model_sha256: Mapped[bytes]
    """Of the very picture that the model was given, in the form that its release names."""
    finish_reason: Mapped[FinishReason]
    prompt_tokens: Mapped[int]
    output_tokens: Mapped[int]
    mean_logprob: Mapped[float]
    """Natural logarithm, over the tokens chosen."""
    min_window_logprob: Mapped[float]
    """The lowest mean over 16 tokens in a row: the passage the model was least sure of."""
    seed: Mapped[int | None] = mapped_column(BigInteger)
    """None where nothing was left to chance."""
    batch_size: Mapped[int]
    device: Mapped[str]
    worker: Mapped[str]
    timings: Mapped[dict[str, float]]
    """Seconds: fetch, generate."""

    image: Mapped[Image] = relationship(lazy="raise_on_sql")
    release: Mapped[Release] = relationship(lazy="raise_on_sql")
