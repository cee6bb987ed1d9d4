"""What may leave a collection now: accepted wordings as catalog entries.

For each object there is one entry for each kind of text in each language. What a collection lets
leave are the texts that were approved, and those accepted by sample where its rules say so.
"""

from collections.abc import Collection as Several
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Result
from sqlalchemy.orm import Session

from predella.formats.bundle import Unit
from predella.formats.entry import CatalogEntry, CatalogTombstone, TextKind
from predella.ids import CollectionId
from predella.models import Collection, Decision, Export, Release
from predella.services import entries, leaving

_AT_ONCE = 200
_EVERY_KIND = frozenset(TextKind)


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
    BESIDE = "beside"
    """Its picture shows another object, too, that one of these keeps back."""


@dataclass(frozen=True, slots=True)
class Departure:
    """One accepted wording that may leave, and what proves that it may."""

    item_id: UUID
    analysis_id: UUID
    revision_id: UUID
    revision_sha256: bytes
    review_id: UUID
    decision: Decision
    entry: CatalogEntry
    carried: bytes | None
    """sha256 of the record that the receiver of a delta has of it already, if it has it."""


@dataclass(frozen=True, slots=True)
class Burial:
    """One line of an earlier export that may no longer stand, and what takes its place."""

    export_id: UUID
    number: int
    entry: CatalogTombstone


def kept_back(
    session: Session,
    collection_id: CollectionId | UUID,
    *,
    kinds: Several[TextKind] = _EVERY_KIND,
) -> dict[Gate, int]:
    """Return how many accepted texts may not leave now, and why."""
    names = {"collection_id": collection_id, "kinds": sorted(kinds)}
    return {Gate(gate): count for gate, count in session.execute(leaving.KEPT_BACK, names)}


def departures(
    session: Session,
    collection: Collection,
    *,
    kinds: Several[TextKind] = _EVERY_KIND,
    unit: Unit = Unit.TEXT,
    delta: Export | None = None,
) -> Iterator[Departure]:
    """Yield what may leave, in the order of ``unit``; for a delta with what the receiver has of it.

    Of an object, what its newest row of a manifest tells of comes first.

    Read from a cursor on the server: a million of them need the memory of two hundred.

    Raises:
        AlteredWordingError: a text is not the one that was approved.
    """
    rows = session.execute(
        leaving.DEPARTURES,
        names(collection.id, kinds, delta, unit),
        execution_options={"yield_per": _AT_ONCE},
    )
    yield from _departures(session, collection, rows)


def of_objects(
    session: Session, collection: Collection, object_numbers: Iterable[str]
) -> Iterator[Departure]:
    """Yield what may leave of these objects, in the order of their numbers."""
    named = names(collection.id) | {"object_numbers": list(object_numbers)}
    yield from _departures(session, collection, session.execute(leaving.OF_OBJECTS, named))


def _departures(session: Session, collection: Collection, rows: Result[Any]) -> Iterator[Departure]:
    release = cache(lambda id_: entries.release(session.get_one(Release, id_)))
    for row in rows.mappings():
        yield Departure(
            row["item_id"],
            row["analysis_id"],
            row["revision_id"],
            row["revision_sha256"],
            row["review_id"],
            Decision(row["decision"]),
            entries.entry(row, collection, release(row["release_id"])),
            row["carried"],
        )


def burials(
    session: Session,
    collection: Collection,
    *,
    kinds: Several[TextKind],
    unit: Unit,
    delta: Export,
) -> Iterator[Burial]:
    """Yield what left in exports like this delta and may no longer stand, in the order of ``unit``.

    What such an export has withdrawn by the delta's ``since`` is not withdrawn again.
    """
    rows = session.execute(
        leaving.BURIALS,
        names(collection.id, kinds, delta, unit),
        execution_options={"yield_per": _AT_ONCE},
    )
    for row in rows.mappings():
        withdrawn = entries.tombstone(row, collection, at=delta.created_at)
        yield Burial(row["export_id"], row["number"], withdrawn)


def languages(session: Session, export: Export, *, kinds: Several[TextKind]) -> Sequence[str]:
    """Return the languages of what may leave, and of all that left in exports like this one.

    So a column that a receiver has once met stays where it is.
    """
    asked = names(export.collection_id, kinds, export) | {"since": export.created_at}
    return sorted(session.scalars(leaving.LANGUAGES, asked))


def names(
    collection_id: UUID,
    kinds: Several[TextKind] = _EVERY_KIND,
    delta: Export | None = None,
    unit: Unit = Unit.TEXT,
) -> dict[str, Any]:
    """Return what the queries of `leaving` have to be told."""
    return {
        "collection_id": collection_id,
        "kinds": sorted(kinds),
        "since": delta.since if delta else None,
        "format": delta.format.value if delta else None,
        "profile": delta.profile if delta else None,
        "by_image": unit is Unit.IMAGE,
    }
