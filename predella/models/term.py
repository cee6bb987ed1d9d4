from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import String

from predella.models.base import Base


class Term(Base):
    """One term of a glossary, in one form; never edited."""

    __tablename__ = "term"
    __table_args__ = (Index("ix_term_first_word", "glossary_id", "first_word"),)

    glossary_id: Mapped[UUID] = mapped_column(ForeignKey("glossary.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    words: Mapped[list[str]] = mapped_column(ARRAY(String))
    """In small letters."""
    first_word: Mapped[str]
    """By which texts are looked through."""
    forbidden: Mapped[bool]
    """Rather than advised against."""
    language: Mapped[str | None]
    """Primary part of the BCP 47 tag; none for any language."""
    why: Mapped[str | None]
    instead: Mapped[str | None]
    source: Mapped[str | None]
    """Its address in the vocabulary that it comes from."""
