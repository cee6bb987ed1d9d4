"""Entries and tombstones to write, with everything or with as little as may be."""

from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from predella.formats.bundle import Bundle
from predella.formats.entry import (
    CatalogApproval,
    CatalogEntry,
    CatalogImage,
    CatalogInstitution,
    CatalogObject,
    CatalogRelease,
    CatalogTombstone,
    CatalogWording,
    Departing,
    HumanInvolvement,
    TextKind,
)

BASE = "https://predella.example.org"
NOTICE = "Written by a small demonstration model; not a description of this work."


def full(text: str = "A low horizon divides the canvas.", **object_fields: Any) -> CatalogEntry:
    """Return an entry in which every field is filled."""
    return CatalogEntry(
        collection="paintings",
        object=CatalogObject(
            **{
                "number": "SK-C/5 (1)",
                "title": "River Landscape with a Mill",
                "artist": "Unknown painter",
                "artist_uri": "http://vocab.getty.edu/ulan/500125081",
                "date": "c. 1650",
                "medium": "Oil on canvas",
                "dimensions": "40 \u00d7 60 cm",
                "object_uri": "https://collection.example.org/SK-C-5",
                "credit_line": "Bequest, 1925",
                "rights_work": "http://creativecommons.org/publicdomain/mark/1.0/",
                "extra": {"Room": "2.8", "Zustand": "gut"},
                **object_fields,
            }
        ),
        wording=replace(
            wording(text, number=2, rights="http://creativecommons.org/licenses/by/4.0/"),
            concept="https://museum.example.org/terms/formal-analysis",
        ),
        approval=approval(HumanInvolvement.AI_EDITED),
        release=release(adapter_sha256="cd" * 32, notice=NOTICE),
        image=CatalogImage(
            key="a/Å b.tif",
            sha256="12" * 32,
            width=2400,
            height=1800,
            view="front",
            rights="http://creativecommons.org/publicdomain/zero/1.0/",
            iiif="https://iiif.example.org/1",
        ),
        institution=CatalogInstitution(name="Example Museum", uri="https://example.org/"),
        generated_at=datetime(2026, 1, 15, 9, 30, tzinfo=UTC),
        run_id=UUID("01890000-0000-7000-8000-000000000002"),
        base=BASE,
    )


def bare(text: str = "") -> CatalogEntry:
    """Return an entry in which only what must be there is filled."""
    return CatalogEntry(
        collection="paintings",
        object=CatalogObject(number="1"),
        wording=wording(text),
        approval=approval(HumanInvolvement.AI_REVIEWED),
        release=release(),
        image=CatalogImage(key="1.jpg", sha256="12" * 32, width=1, height=1),
        institution=CatalogInstitution(name="Example Museum"),
        generated_at=datetime(2026, 1, 15, 9, 30, tzinfo=UTC),
        base=BASE,
    )


def tombstone(entry: CatalogEntry) -> CatalogTombstone:
    """Return what follows the entry when its text may no longer stand."""
    return CatalogTombstone(
        collection=entry.collection,
        object=entry.object,
        revision_id=entry.wording.revision_id,
        kind=entry.wording.kind,
        prompt_id=entry.release.prompt_id,
        language=entry.wording.language,
        image=entry.image,
        institution=entry.institution,
        withdrawn_at=datetime(2026, 2, 1, 8, 0, tzinfo=UTC),
        base=entry.base,
    )


def of_kind(kind: TextKind, text: str = "A low horizon divides the canvas.") -> CatalogEntry:
    """Return a full entry with a text of this kind."""
    entry = full(text)
    return replace(entry, wording=replace(entry.wording, kind=kind))


def wording(
    text: str,
    number: int = 0,
    rights: str | None = None,
    kind: TextKind = TextKind.FORMAL_ANALYSIS,
) -> CatalogWording:
    """Return a wording whose digest is right."""
    return CatalogWording(
        revision_id=UUID("01890000-0000-7000-8000-000000000001"),
        number=number,
        text=text,
        sha256=sha256(text.encode()).hexdigest(),
        language="en",
        kind=kind,
        rights=rights,
    )


def approval(involvement: HumanInvolvement) -> CatalogApproval:
    """Return an approval."""
    return CatalogApproval(
        reviewer="A. Curator",
        decided_at=datetime(2026, 1, 20, 10, 0, 0, 999, tzinfo=UTC),
        human_involvement=involvement,
    )


def release(adapter_sha256: str | None = None, notice: str | None = None) -> CatalogRelease:
    """Return a release."""
    return CatalogRelease(
        name="GalleryGPT",
        digest="ef" * 32,
        weights_sha256="ab" * 32,
        adapter_sha256=adapter_sha256,
        prompt_id="formal-analysis/1",
        code_version="0.1.0",
        notice=notice,
        base_model="ShareGPT4V-7B",
        question="Describe the form of this painting.",
        decoding={"beams": 1, "max_new_tokens": 512},
    )


def bundle(*lines: Departing) -> Bundle:
    """Return the record that these texts of one object make."""
    return Bundle.of(lines)


def in_language(entry: CatalogEntry, language: str, text: str) -> CatalogEntry:
    """Return the same kind of text in another language."""
    revision = UUID(bytes=sha256(f"{language} {text}".encode()).digest()[:16])
    made = replace(wording(text, kind=entry.kind), language=language, revision_id=revision)
    return replace(entry, wording=made)


def numbered(entry: CatalogEntry, number: str) -> CatalogEntry:
    """Return the entry as one of another object, with an image and a wording of its own."""
    name = f"{number} {entry.kind}"
    revision = UUID(bytes=sha256(name.encode()).digest()[:16])
    return replace(
        entry,
        object=replace(entry.object, number=number, object_uri=f"https://example.org/{number}"),
        wording=replace(entry.wording, revision_id=revision),
        image=replace(entry.image, key=f"{number}.tif", sha256=sha256(number.encode()).hexdigest()),
    )
