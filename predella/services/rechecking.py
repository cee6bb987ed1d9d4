"""Checking again: when a check, a threshold, a glossary or the catalog's records changed."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from predella.ids import AnalysisId, CollectionId
from predella.services import checkups

_UUIDS = ARRAY(Uuid)
_FIRST = UUID(int=0)


@dataclass(frozen=True)
class Progress:
    """How far a collection has been checked again."""

    checked: int
    """Texts, by this step."""
    last: AnalysisId | None
    """Go on behind this one; none when it was the last."""


_DUE = """
    FROM standing CROSS JOIN LATERAL (
        SELECT id FROM revision WHERE revision.analysis_id = standing.analysis_id
        ORDER BY number DESC LIMIT 1
    ) newest
    LEFT JOIN LATERAL (
        SELECT suite FROM checkup WHERE checkup.revision_id = newest.id
        ORDER BY number DESC LIMIT 1
    ) last ON true
    WHERE standing.collection_id = :collection_id
        AND (:everything OR last.suite IS DISTINCT FROM :suite)
"""
_COUNT_DUE = text(f"SELECT count(*) {_DUE}")
_LOCK_DUE = text(f"""
    SELECT id FROM analysis WHERE id IN (
        SELECT standing.analysis_id {_DUE} AND standing.analysis_id > :after
        ORDER BY standing.analysis_id LIMIT :limit
    )
    ORDER BY id FOR UPDATE
""")  # noqa: S608  (our own words, see above)
_STILL_DUE = text(
    f"SELECT newest.id {_DUE} AND standing.analysis_id = ANY(:analysis_ids)"
).bindparams(bindparam("analysis_ids", type_=_UUIDS))


def due(session: Session, collection_id: CollectionId, *, everything: bool = False) -> int:
    """Return how many newest wordings were not checked as they would be today."""
    count: int = session.scalars(_COUNT_DUE, _asked(session, collection_id, everything)).one()
    return count


def run_due(
    session: Session,
    collection_id: CollectionId,
    *,
    after: AnalysisId | None = None,
    limit: int = 200,
    everything: bool = False,
) -> Progress:
    """Check the next texts again that were not checked as they would be today.

    What is done is not due any more, so whoever stops may begin anew. ``everything`` takes all
    texts: those of other works may have come or gone, or the catalog's records changed.
    """
    asked = _asked(session, collection_id, everything)
    # Lock first, look second: somebody may be amending one of them.
    held = session.scalars(_LOCK_DUE, asked | {"after": after or _FIRST, "limit": limit}).all()
    checkups.run(session, session.scalars(_STILL_DUE, asked | {"analysis_ids": held}).all())
    return Progress(len(held), AnalysisId(held[-1]) if held else None)


def _asked(session: Session, collection_id: CollectionId, everything: bool) -> dict[str, object]:  # noqa: FBT001  (passed on by name)
    suite = checkups.suites_of(session, {collection_id})[collection_id].digest
    return {"collection_id": collection_id, "suite": suite, "everything": everything}
