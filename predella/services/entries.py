"""Rows of what leaves, or must no longer stand, as the catalog formats know them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping

from predella.formats.entry import (
    CatalogApproval,
    CatalogEntry,
    CatalogImage,
    CatalogInstitution,
    CatalogObject,
    CatalogRelease,
    CatalogTombstone,
    CatalogWording,
    HumanInvolvement,
    TextKind,
)
from predella.models import Collection, Decision, Release
from predella.settings import get_settings


def entry(row: RowMapping, collection: Collection, by: CatalogRelease) -> CatalogEntry:
    """Return what leaves.

    Raises:
        AlteredWordingError: the text is not the one that was approved.
    """
    return CatalogEntry(
        collection=collection.slug,
        object=_object(row, collection),
        wording=CatalogWording(
            revision_id=row["revision_id"],
            number=row["revision_number"],
            text=row["text"],
            sha256=row["revision_sha256"].hex(),
            language=row["language"],
            kind=TextKind(row["kind"]),
            rights=collection.text_rights,
            concept=_concept(TextKind(row["kind"]), collection),
        ),
        approval=CatalogApproval(
            reviewer=row["reviewer"],
            decided_at=row["decided_at"],
            human_involvement=_involvement(row),
            by_sample=row["decision"] == Decision.ACCEPTED_BY_SAMPLE,
        ),
        release=by,
        image=_image(row),
        institution=_institution(collection),
        generated_at=row["generated_at"],
        run_id=row["run_id"],
        base=get_settings().public_url,
    )


def tombstone(row: RowMapping, collection: Collection, *, at: datetime) -> CatalogTombstone:
    """Return what takes the place of a wording that had left, and was withdrawn by then."""
    return CatalogTombstone(
        collection=collection.slug,
        object=_object(row, collection),
        revision_id=row["revision_id"],
        kind=TextKind(row["kind"]),
        prompt_id=row["prompt_id"],
        language=row["language"],
        image=_image(row),
        institution=_institution(collection),
        withdrawn_at=at,
        base=get_settings().public_url,
    )


def release(written_by: Release) -> CatalogRelease:
    """Return what wrote a text."""
    spec: Mapping[str, Any] = written_by.spec
    return CatalogRelease(
        name=written_by.model_name,
        digest=written_by.digest.hex(),
        weights_sha256=spec["weights_sha256"],
        adapter_sha256=spec["adapter_sha256"],
        prompt_id=spec["prompt_id"],
        code_version=spec["code_version"],
        notice=written_by.notice,
        base_model=written_by.base_model,
        question=spec["prompt_text"],
        decoding=spec["decoding"],
    )


def _object(row: RowMapping, collection: Collection) -> CatalogObject:
    return CatalogObject(
        number=row["object_number"],
        title=row["title"],
        artist=row["artist"],
        artist_uri=row["artist_uri"],
        date=row["date"],
        medium=row["medium"],
        dimensions=row["dimensions"],
        object_uri=row["object_uri"],
        credit_line=row["credit_line"] or collection.credit_line,
        rights_work=row["rights_work"],
        extra=row["extra"],
    )


def _image(row: RowMapping) -> CatalogImage:
    return CatalogImage(
        key=row["key"],
        sha256=row["image_sha256"].hex(),
        width=row["width"],
        height=row["height"],
        view=row["view"],
        rights=row["rights_image"],
        iiif=row["iiif_image"],
    )


def _institution(collection: Collection) -> CatalogInstitution:
    return CatalogInstitution(name=collection.institution, uri=collection.institution_uri)


def _concept(kind: TextKind, collection: Collection) -> str | None:
    """A museum has a term for the whole, and none for its parts or for other texts."""
    return collection.concept_uri if kind is TextKind.FORMAL_ANALYSIS else None


def _involvement(row: RowMapping) -> HumanInvolvement:
    """An amendment that was undone leaves the model's own wording, word for word."""
    if row["revision_sha256"] == row["original_sha256"]:
        return HumanInvolvement.AI_REVIEWED
    return HumanInvolvement.AI_EDITED
