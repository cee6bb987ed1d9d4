"""What is known around a wording, for the checks to hold it against."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from predella.checks.thresholds import Thresholds


@dataclass(frozen=True)
class Record:
    """What the museum's catalog says of one object."""

    artist: str | None = None
    title: str | None = None
    sitter: str | None = None
    dimensions: str | None = None


@dataclass(frozen=True)
class Picture:
    """What was measured from the pixels of the picture that was described."""

    width: int
    height: int
    facts: Mapping[str, Any] = field(default_factory=dict)

    def level(self, name: str) -> float | None:
        """Return one measurement; none in pictures that were prepared before it was made."""
        value = self.facts.get(name)
        return float(value) if isinstance(value, int | float) else None

    @property
    def colours(self) -> Mapping[str, float] | None:
        """The share of pixels that could be called each colour; one pixel may count for two."""
        found: Mapping[str, float] | None = self.facts.get("colours")
        return found


@dataclass(frozen=True)
class Term:
    """One term that a collection's glossary speaks of."""

    words: tuple[str, ...]
    """In small letters."""
    forbidden: bool
    why: str | None = None
    instead: str | None = None
    source: str | None = None
    """Where the glossary has it: an address, or the name of the list."""


@dataclass(frozen=True)
class Lookalike:
    """Another text of the collection that says nearly the same."""

    analysis_id: str
    object_number: str | None
    text: str


@dataclass(frozen=True, kw_only=True)
class Context:
    """Everything but the words themselves."""

    language: str = "en"
    kind: str = "formal_analysis"
    finish_reason: str | None = None
    """Why the model stopped; none when a person wrote the wording."""
    prompt: str = ""
    records: Sequence[Record] = ()
    picture: Picture | None = None
    thresholds: Thresholds = field(default_factory=Thresholds)
    terms: Sequence[Term] = ()
    lookalikes: Sequence[Lookalike] = ()
    reuse: Mapping[int, int] = field(default_factory=dict)
    """By the hash of a sentence: in how many other works of the collection it stands."""

    @property
    def is_english(self) -> bool:
        """Whether the patterns that know English apply."""
        return self.language.partition("-")[0].lower() == "en"
