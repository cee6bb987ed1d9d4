"""What leaves for a catalog: one approved wording, with all that a reader must know about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from uuid import UUID

from predella.errors import ConflictError
from predella.formats.text import normalise


class AlteredWordingError(ConflictError):
    """The text at hand is not the one that was approved."""

    def __init__(self, revision_id: UUID) -> None:
        super().__init__(f"the text of revision {revision_id} is not the one that was approved")
        self.revision_id = revision_id


class TextKind(StrEnum):
    """What kind of text leaves; a catalog keeps them apart."""

    FORMAL_ANALYSIS = "formal_analysis"
    ELEMENT = "element"
    """A part of a formal analysis: line alone, colour alone."""
    ALT_TEXT = "alt_text"
    LONG_DESCRIPTION = "long_description"


class HumanInvolvement(StrEnum):
    """What people did with the model's wording before it was approved."""

    AI_REVIEWED = "ai_reviewed"
    """They let it stand as it was."""
    AI_EDITED = "ai_edited"
    """They changed it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogObject:
    """The object, as the museum's manifest tells it."""

    number: str
    title: str | None = None
    artist: str | None = None
    artist_uri: str | None = None
    date: str | None = None
    medium: str | None = None
    dimensions: str | None = None
    object_uri: str | None = None
    credit_line: str | None = None
    rights_work: str | None = None
    """Canonical URI, see `predella.formats.rights`."""
    extra: Mapping[str, str] = field(default_factory=dict)
    """The manifest's own columns, in order; they come back as they came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogWording:
    """The revision that was approved.

    Raises:
        AlteredWordingError: the text is not the one with this sha256, or not normalised.
    """

    revision_id: UUID
    number: int
    """0 is the model's own."""
    text: str
    sha256: str
    """Of the text in UTF-8; hexadecimal, as are all digests here."""
    language: str
    kind: TextKind
    rights: str | None = None
    """Canonical URI of the text's licence, where the museum has chosen one."""

    def __post_init__(self) -> None:
        same = normalise(self.text) == self.text
        if not same or sha256(self.text.encode()).hexdigest() != self.sha256:
            raise AlteredWordingError(self.revision_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogApproval:
    """The decision that lets the wording leave."""

    reviewer: str
    """Display name."""
    decided_at: datetime
    human_involvement: HumanInvolvement


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogRelease:
    """What wrote the text."""

    name: str
    digest: str
    weights_sha256: str
    adapter_sha256: str | None = None
    prompt_id: str
    code_version: str
    notice: str | None = None
    """What must stand by every text of this release."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogImage:
    """What the model looked at."""

    key: str
    sha256: str
    width: int
    """Pixels, upright."""
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogInstitution:
    """The legal body that holds editorial responsibility."""

    name: str
    uri: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogEntry:
    """One approved wording on its way into a catalog."""

    collection: str
    """Slug of the collection."""
    object: CatalogObject
    wording: CatalogWording
    approval: CatalogApproval
    release: CatalogRelease
    image: CatalogImage
    institution: CatalogInstitution
    generated_at: datetime
    """When the model wrote."""

    @property
    def record_id(self) -> str:
        """Name of this record at the receiver; a later wording replaces an earlier one."""
        return f"{self.collection}/{self.object.number}/{self._text_id}"

    @property
    def _text_id(self) -> str:
        """Name of this text among those of its object; of an element, with which one it is."""
        kind = self.wording.kind.value.replace("_", "-")
        name, _, _ = self.release.prompt_id.rpartition("/")
        return f"{kind}-{name}" if self.wording.kind is TextKind.ELEMENT else kind


def stamp(moment: datetime) -> str:
    """Return the moment in UTC as all our formats write it: 2026-01-20T10:00:00Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
