"""What may leave a collection now: approved wordings as catalog entries.

For each object there is one entry for each kind of text.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Result, RowMapping, TextClause, Uuid, bindparam, text
from sqlalchemy.orm import Session

from predella.formats.entry import (
    CatalogApproval,
    CatalogEntry,
    CatalogImage,
    CatalogInstitution,
    CatalogObject,
    CatalogRelease,
    CatalogWording,
    HumanInvolvement,
    TextKind,
)
from predella.ids import CollectionId
from predella.models import Collection, Release

_AT_ONCE = 200


class Gate(StrEnum):
    """What keeps an approved text back; the first that is closed counts."""

    SENSITIVE = "sensitive"
    """The object is restricted, or its sensitivity is still to be reviewed."""
    AI_DENIED = "ai_denied"
    """No model may see it any more, so what one wrote is kept back too."""
    DENIED = "denied"
    """Its ``export`` says so."""
    EMBARGOED = "embargoed"
    RIGHTS_UNKNOWN = "rights_unknown"
    """There is no rights statement for the work."""


@dataclass(frozen=True, slots=True)
class Departure:
    """One approved wording that may leave, and what proves that it may."""

    item_id: UUID
    analysis_id: UUID
    revision_id: UUID
    revision_sha256: bytes
    review_id: UUID
    entry: CatalogEntry


# The object's gate says whether its text may leave; of its approved rows the newest of each kind
# of text leaves. What is approved and withheld is counted as kept back.
_CANDIDATES = """
    WITH gated AS (
        SELECT item.*, gate.rights_work AS rights, CASE
            WHEN gate.sensitivity <> 'none' THEN 'sensitive'
            WHEN NOT gate.ai_processing THEN 'ai_denied'
            WHEN NOT gate.exportable THEN 'denied'
            WHEN gate.embargo_until > current_date THEN 'embargoed'
            WHEN gate.rights_work IS NULL THEN 'rights_unknown' END AS closed
        FROM item JOIN object_gate gate USING (collection_id, object_number)
        WHERE collection_id = :collection_id AND is_primary
    ), asked AS (
        SELECT release.id AS release_id, prompt.kind,
            prompt.kind || CASE prompt.kind WHEN 'element' THEN prompt.name ELSE '' END AS text_id
        FROM release JOIN prompt ON prompt.id = release.prompt_id
    ), candidate AS (
        SELECT DISTINCT ON (object_number, text_id) gated.*, asked.kind, asked.text_id
        FROM gated JOIN standing USING (analysis_id)
        JOIN analysis ON analysis.id = gated.analysis_id
        JOIN asked USING (release_id)
        WHERE gated.state IN ('done', 'withheld') AND (
            standing.state = 'approved' OR standing.state = 'withheld' AND 'approved' = (
                SELECT decision FROM review WHERE review.analysis_id = analysis.id
                ORDER BY number DESC LIMIT 1
            )
        )
        ORDER BY object_number, text_id, gated.id DESC
    )
"""


def _of_candidates(query: str) -> TextClause:
    both = f"{_CANDIDATES} {query}"
    return text(both).bindparams(bindparam("collection_id", type_=Uuid))


_KEPT_BACK = _of_candidates("""
    SELECT closed, count(*) FROM candidate WHERE closed IS NOT NULL GROUP BY closed
""")

_DEPARTING = """
    SELECT candidate.id AS item_id, candidate.analysis_id, candidate.object_number,
        candidate.text_id,
        candidate.title, candidate.artist, candidate.artist_uri, candidate.date,
        candidate.medium, candidate.dimensions, candidate.object_uri, candidate.credit_line,
        candidate.rights AS rights_work, candidate.extra, candidate.key, candidate.kind,
        image.sha256 AS image_sha256, image.width, image.height,
        analysis.release_id, analysis.language, analysis.created_at AS generated_at,
        revision.id AS revision_id, revision.number AS revision_number, revision.text,
        revision.sha256 AS revision_sha256, original.sha256 AS original_sha256,
        review.id AS review_id, review.created_at AS decided_at,
        account.display_name AS reviewer
    FROM candidate
    JOIN analysis ON analysis.id = candidate.analysis_id
    JOIN image ON image.id = analysis.image_id
    JOIN LATERAL (
        SELECT * FROM review WHERE review.analysis_id = analysis.id ORDER BY number DESC LIMIT 1
    ) review ON review.decision = 'approved'
    JOIN account ON account.id = review.account_id
    JOIN revision ON revision.id = review.revision_id
    JOIN revision original ON original.analysis_id = analysis.id AND original.number = 0
    WHERE candidate.closed IS NULL AND NOT EXISTS (
        SELECT FROM control WHERE control.analysis_id = analysis.id
            AND control.revision_sha256 = review.revision_sha256
    )
    ORDER BY candidate.object_number, candidate.text_id
"""
_DEPARTURES = _of_candidates(_DEPARTING)


def of_departing(query: str) -> TextClause:
    """Return a query over ``departing``: what may leave one collection now, a row each."""
    return _of_candidates(f", departing AS ({_DEPARTING}) {query}")


_OF_OBJECTS = of_departing("SELECT * FROM departing WHERE object_number = ANY(:object_numbers)")


def kept_back(session: Session, collection_id: CollectionId | UUID) -> dict[Gate, int]:
    """Return how many approved texts may not leave now, and why."""
    rows = session.execute(_KEPT_BACK, {"collection_id": collection_id})
    return {Gate(gate): count for gate, count in rows}


def departures(session: Session, collection: Collection) -> Iterator[Departure]:
    """Yield what may leave, by object number.

    Read from a cursor on the server: a million of them need the memory of two hundred.
    """
    rows = session.execute(
        _DEPARTURES,
        {"collection_id": collection.id},
        execution_options={"yield_per": _AT_ONCE},
    )
    yield from _departures(session, collection, rows)


def of_objects(
    session: Session, collection: Collection, object_numbers: Iterable[str]
) -> Iterator[Departure]:
    """Yield what may leave of these objects, in the order of their numbers."""
    named = {"collection_id": collection.id, "object_numbers": list(object_numbers)}
    yield from _departures(session, collection, session.execute(_OF_OBJECTS, named))


def _departures(session: Session, collection: Collection, rows: Result[Any]) -> Iterator[Departure]:
    release = cache(lambda id_: _release(session.get_one(Release, id_)))
    for row in rows.mappings():
        yield Departure(
            row["item_id"],
            row["analysis_id"],
            row["revision_id"],
            row["revision_sha256"],
            row["review_id"],
            _entry(row, collection, release(row["release_id"])),
        )


def _entry(row: RowMapping, collection: Collection, release: CatalogRelease) -> CatalogEntry:
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
        ),
        approval=CatalogApproval(
            reviewer=row["reviewer"],
            decided_at=row["decided_at"],
            human_involvement=_involvement(row),
        ),
        release=release,
        image=CatalogImage(
            key=row["key"],
            sha256=row["image_sha256"].hex(),
            width=row["width"],
            height=row["height"],
        ),
        institution=CatalogInstitution(name=collection.institution),
        generated_at=row["generated_at"],
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


def _involvement(row: RowMapping) -> HumanInvolvement:
    """An amendment that was undone leaves the model's own wording, word for word."""
    if row["revision_sha256"] == row["original_sha256"]:
        return HumanInvolvement.AI_REVIEWED
    return HumanInvolvement.AI_EDITED


def _release(release: Release) -> CatalogRelease:
    spec: Mapping[str, Any] = release.spec
    return CatalogRelease(
        name=release.model_name,
        digest=release.digest.hex(),
        weights_sha256=spec["weights_sha256"],
        adapter_sha256=spec["adapter_sha256"],
        prompt_id=spec["prompt_id"],
        code_version=spec["code_version"],
        notice=release.notice,
    )
