"""Records: what harvesters are told of, kept up to date with what may leave.

One is kept for each text; what harvesters are told of is the object, which changed when the last
of its texts did, and is deleted when none of them is left. A record changes when it is first
compared anew, not when somebody decided: a moment under which nobody could have seen it would
hide it from who had asked in between. So whoever compares holds off those who list, and they
him; a harvester that asks from its last answer on misses nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter
from uuid import UUID

from sqlalchemy import Select, Uuid, bindparam, func, select, text, tuple_
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session, aliased

from predella.formats.bundle import Bundle
from predella.formats.entry import text_name
from predella.formats.oai import Listing
from predella.models import CatalogRecord, Collection, Harvest
from predella.services import leaving, outgoing, rules
from predella.settings import get_settings

FRESH = timedelta(seconds=5)
"""For how long what was compared is not compared again when somebody asks."""

# Whoever asks is told to come again rather than that their like hold all our connections.
_PATIENCE = text("SET LOCAL lock_timeout = '3s'")
_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('predella.records'))")
_LOCK_SHARED = text("SELECT pg_advisory_xact_lock_shared(hashtext('predella.records'))")
_MOMENT = text("SELECT clock_timestamp()")

# Open ones that were never compared, and all that ever were, once that is long enough ago.
_STALE = text("""
    SELECT id, is_open, says, stands_by IS DISTINCT FROM says AS is_other FROM (
        SELECT id, review_rules @> '{"open_to_harvesters": true}' AS is_open, refreshed_at,
            stands_by, jsonb_build_array(institution, institution_uri, credit_line, text_rights,
                concept_uri) AS says
        FROM collection LEFT JOIN harvest ON harvest.collection_id = collection.id
    ) known
    WHERE coalesce(refreshed_at < clock_timestamp() - :older_than, is_open) ORDER BY id
""")

_COMPARED = text("""
    INSERT INTO harvest (collection_id, refreshed_at, stands_by)
    VALUES (:collection_id, :now, :says)
    ON CONFLICT (collection_id) DO UPDATE
    SET refreshed_at = excluded.refreshed_at, stands_by = excluded.stands_by
""").bindparams(bindparam("collection_id", type_=Uuid), bindparam("says", type_=JSONB))

# What tells one state of a record from the next: the row of a manifest, the text, the decision,
# and what may change beside them. All else in an entry hangs on these and never changes, but for
# what a collection says of itself: it stands in all of its records, and is compared once.
_STATE = "item_id, analysis_id, revision_sha256, review_id, rights_work, reviewer"


def _state(of: str) -> str:
    return ", ".join(f"{of}.{name}" for name in _STATE.split(", "))


# Only what differs is written: a house in which nothing happened stays as it is on the disk. A
# full join, as Postgres cannot guess how many rows may leave, and has no slow way to make one.
_COMPARE = leaving.of_departing(f"""
    , going AS (
        SELECT departing.*, text_id AS name FROM departing WHERE :is_open
    ), changed AS (
        SELECT object_number, name, old.id AS old_id, going.revision_id, going.decision,
            {_state("going")}
        FROM going FULL JOIN (
            SELECT * FROM catalog_record WHERE collection_id = :collection_id
        ) old USING (object_number, name)
        WHERE CASE WHEN going.review_id IS NULL THEN old.withdrawn_at IS NULL
            ELSE :is_other OR old.id IS NULL OR old.withdrawn_at IS NOT NULL
                OR ({_state("old")}) IS DISTINCT FROM ({_state("going")}) END
    ), kept AS (
        INSERT INTO catalog_record (collection_id, object_number, name, revision_id, decision,
            changed_at, {_STATE})
        SELECT :collection_id, object_number, name, revision_id, decision, :now, {_STATE}
        FROM changed WHERE review_id IS NOT NULL ORDER BY object_number, name
        ON CONFLICT (collection_id, object_number, name) DO UPDATE SET
            ({_STATE}, revision_id, decision) = ROW({_state("excluded")},
                excluded.revision_id, excluded.decision),
            changed_at = excluded.changed_at, withdrawn_at = NULL
    )
    UPDATE catalog_record SET withdrawn_at = :now, changed_at = :now
    FROM changed WHERE changed.old_id = catalog_record.id AND changed.review_id IS NULL
""")  # noqa: S608  (names of columns)


@dataclass(frozen=True, slots=True)
class Told:
    """One object as it is to be told of at this moment."""

    record: CatalogRecord
    """The one of its texts that changed last."""
    slug: str
    bundle: Bundle | None
    """None: deleted."""

    @property
    def object_id(self) -> str:
        """Name of the object at the receiver."""
        return f"{self.slug}/{self.record.object_number}"


def refresh(session: Session, *, older_than: timedelta = FRESH) -> None:
    """Compare what may leave with what harvesters are told, where that was not done lately.

    One statement for a collection, whatever its size. What may leave no more stays as a
    deletion for ever, also where a collection is closed to harvesters again.
    """
    asked = {"older_than": older_than}
    if not session.execute(_STALE, asked).all():
        return
    session.execute(_LOCK)
    for collection_id, is_open, says, is_other in session.execute(_STALE, asked).all():
        named = {"collection_id": collection_id, "now": session.scalar(_MOMENT)}
        session.execute(_COMPARED, named | {"says": says})
        asked_of = outgoing.names(collection_id) | named
        session.execute(_COMPARE, asked_of | {"is_open": is_open, "is_other": is_other})


def hold(session: Session) -> datetime:
    """Keep records as they are until the transaction ends; return from when on that holds.

    While somebody else compares them for longer than three seconds, the database refuses.
    """
    session.execute(_PATIENCE)
    refresh(session)
    session.execute(_LOCK_SHARED)
    held: datetime = session.execute(_MOMENT).scalar_one()
    return held


def sets(session: Session) -> Sequence[Collection]:
    """Return the collections that are, or were, open to harvesters."""
    known = select(Collection).join(Harvest, Harvest.collection_id == Collection.id)
    return session.scalars(known.order_by(Collection.slug)).all()


def earliest(session: Session) -> datetime | None:
    """Return when the first change was that a record still has."""
    return session.scalar(select(func.min(CatalogRecord.changed_at)))


def count(session: Session, wanted: Listing) -> int:
    """Return how many objects are wanted."""
    return session.scalar(select(func.count()).select_from(_wanted(wanted).subquery())) or 0


def listed(session: Session, wanted: Listing, *, limit: int) -> Sequence[Told]:
    """Return the objects that are wanted, those that changed first coming first.

    Whatever was noted of them, what may not leave at this moment is not told: an object without
    any text left is deleted.
    """
    page = _wanted(wanted).order_by(CatalogRecord.changed_at, CatalogRecord.id).limit(limit)
    return _told(session, session.scalars(page).all())


def find(session: Session, object_id: str) -> Told | None:
    """Return the object of this name, as it is to be told of at this moment."""
    slug, _, number = object_id.partition("/")
    found = session.scalars(
        _last_changed()
        .join(Collection, Collection.id == CatalogRecord.collection_id)
        .where(Collection.slug == slug, CatalogRecord.object_number == number)
    ).all()
    return next(iter(_told(session, found)), None)


def _last_changed() -> Select[CatalogRecord]:
    """Return a query for the record of each object that changed last: its moment is the object's.

    A look at an index for each row of a page, rather than a grouping of them all.
    """
    later = aliased(CatalogRecord)
    changed_later = select(later).where(
        later.collection_id == CatalogRecord.collection_id,
        later.object_number == CatalogRecord.object_number,
        tuple_(later.changed_at, later.id) > tuple_(CatalogRecord.changed_at, CatalogRecord.id),
    )
    query = select(CatalogRecord).where(~changed_later.exists())
    return query.execution_options(populate_existing=True)


def _wanted(wanted: Listing) -> Select[CatalogRecord]:
    query = _last_changed()
    if wanted.set is not None:
        one = select(Collection.id).where(Collection.slug == wanted.set).scalar_subquery()
        query = query.where(CatalogRecord.collection_id == one)
    if wanted.since is not None:
        query = query.where(CatalogRecord.changed_at >= wanted.since)
    if wanted.until is not None:
        query = query.where(CatalogRecord.changed_at <= wanted.until)
    if wanted.after is not None:
        place = tuple_(CatalogRecord.changed_at, CatalogRecord.id)
        query = query.where(place > tuple_(*wanted.after))
    return query


def _told(session: Session, records: Sequence[CatalogRecord]) -> Sequence[Told]:
    of_collection = attrgetter("collection_id")
    told = {
        one.record.id: one
        for id_, these in groupby(sorted(records, key=of_collection), of_collection)
        for one in _told_of(session, id_, list(these))
    }
    return [told[record.id] for record in records]


def _told_of(
    session: Session, collection_id: UUID, records: Sequence[CatalogRecord]
) -> Iterable[Told]:
    collection = session.get_one(Collection, collection_id, populate_existing=True)
    bundles = _bundles(session, collection, [record.object_number for record in records])
    for record in records:
        yield Told(record, collection.slug, bundles.get(record.object_number))


def _bundles(
    session: Session, collection: Collection, numbers: Sequence[str]
) -> Mapping[str, Bundle]:
    """Return what may be told of these objects: texts that were noted, and may leave now."""
    if not rules.of(collection).open_to_harvesters:
        return {}
    noted = session.execute(
        select(CatalogRecord.object_number, CatalogRecord.name).where(
            CatalogRecord.collection_id == collection.id,
            CatalogRecord.object_number.in_(numbers),
            CatalogRecord.withdrawn_at.is_(None),
        )
    )
    known, base = {tuple(row) for row in noted}, get_settings().desk_url
    going = (one.entry for one in outgoing.of_objects(session, collection, numbers))
    told = (entry for entry in going if (entry.object.number, text_name(entry)) in known)
    return {
        number: Bundle.of([replace(entry, base=base) for entry in entries])
        for number, entries in groupby(told, lambda entry: entry.object.number)
    }
