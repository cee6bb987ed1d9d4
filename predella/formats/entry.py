"""What leaves for a catalog: one approved wording, with all that a reader must know about it.

And what follows it when it may no longer stand there: a tombstone, which has no text.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import TypeAlias
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
    concept: str | None = None
    """The museum's own term for this kind of text, a URI."""

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
    by_sample: bool = False
    """Its lot passed: nobody needs to have read this very text."""

    @property
    def decision(self) -> str:
        """The decision in the words of a review."""
        return "accepted_by_sample" if self.by_sample else "approved"


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
    base_model: str | None = None
    """What the adapter was trained on."""
    question: str | None = None
    """The prompt, as the model got it."""
    decoding: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogImage:
    """What the model looked at."""

    key: str
    sha256: str
    width: int
    """Pixels, upright."""
    height: int
    view: str | None = None
    """Front, detail: in the words of the manifest."""
    rights: str | None = None
    """Canonical URI of the rights in the photograph."""
    iiif: str | None = None
    """Address of its IIIF image service, without a slash at the end."""


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
    run_id: UUID | None = None
    base: str | None = None
    """Address below which what we publish has its addresses, see `predella.formats.addresses`."""

    @property
    def kind(self) -> TextKind:
        """What kind of text it is."""
        return self.wording.kind

    @property
    def language(self) -> str:
        """What the text is written in."""
        return self.wording.language

    @property
    def revision_id(self) -> UUID:
        """Which wording it is."""
        return self.wording.revision_id

    @property
    def prompt_id(self) -> str:
        """What was asked for."""
        return self.release.prompt_id

    @property
    def record_id(self) -> str:
        """Name of this text at the receiver; a later wording replaces an earlier one."""
        return f"{object_id(self)}/{text_name(self)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogTombstone:
    """A wording that left and may no longer stand; it replaces the entry of its ``record_id``.

    It has no text, so that no format can let a withdrawn one out by mistake.
    """

    collection: str
    object: CatalogObject
    revision_id: UUID
    """What left."""
    kind: TextKind
    prompt_id: str
    language: str
    image: CatalogImage
    institution: CatalogInstitution
    withdrawn_at: datetime
    base: str | None = None

    @property
    def record_id(self) -> str:
        """Name of the text at the receiver."""
        return f"{object_id(self)}/{text_name(self)}"


Departing: TypeAlias = CatalogEntry | CatalogTombstone
"""What a line of an export can be."""


def object_id(line: Departing) -> str:
    """Return the name of the object at the receiver."""
    return f"{line.collection}/{line.object.number}"


def text_name(line: Departing) -> str:
    """Return what tells a text of an object from its others, as in formal-analysis/en."""
    return f"{part(line)}/{line.language}"


def part(line: Departing) -> str:
    """Return what a text and its like in other languages have in common, as in element-colour."""
    name = line.kind.value.replace("_", "-")
    asked = line.prompt_id.rpartition("/")[0]
    return f"{name}-{asked}" if line.kind is TextKind.ELEMENT else name


def stamp(moment: datetime) -> str:
    """Return the moment in UTC as all our formats write it: 2026-01-20T10:00:00Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
