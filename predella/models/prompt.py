from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from predella import clock
from predella.models.base import Base

DEFAULT_PROMPT = "formal-analysis/1"
"""What is asked about the pictures of a collection that has not chosen."""


class PromptKind(StrEnum):
    """What kind of text a prompt asks for; a catalog keeps them apart."""

    FORMAL_ANALYSIS = "formal_analysis"
    """Of the whole picture, in one paragraph or in sections."""
    ELEMENT = "element"
    """One element of a formal analysis: line, colour, and so on."""
    ALT_TEXT = "alt_text"
    """Stands in for the picture where it cannot be seen."""
    LONG_DESCRIPTION = "long_description"


class Prompt(Base):
    """One wording of a question about a picture; never edited or deleted (a trigger holds that)."""

    __tablename__ = "prompt"
    __table_args__ = (
        UniqueConstraint("name", "version"),
        CheckConstraint("id = name || '/' || version", name="id"),
        CheckConstraint("name ~ '^[a-z0-9][a-z0-9-]{0,62}$'", name="name"),
        CheckConstraint("version > 0", name="version"),
        CheckConstraint("num_nonnulls(text, sections) = 1", name="text_or_sections"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    """``name/version``, as releases have it."""
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    name: Mapped[str]
    version: Mapped[int]
    kind: Mapped[PromptKind]
    text: Mapped[str | None]
    """What the model is asked, in one question."""
    sections: Mapped[list[dict[str, str]] | None] = mapped_column(JSONB(none_as_null=True))
    """Or in several, in order: ``heading``, and the ``prompt_id`` of what is asked under it."""
