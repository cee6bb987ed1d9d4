"""Gates: what may be done with an object, said by a manifest or by a person with a reason.

There is one row for each object of a collection (decision 29). Closing it reaches everything at
once, in the database: items that wait are withheld, those in a worker's hand are called back,
texts leave the queue, and no export takes them. Opening it brings all of it back. A picture of
several objects obeys all of their gates.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any

from sqlalchemy import String, TextClause, bindparam, func, or_, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from predella import clock, queue
from predella.errors import InvalidError, NotFoundError, UnknownObjectsError
from predella.formats import rights
from predella.formats.text import normalise
from predella.ids import CollectionId
from predella.models import Account, Item, ObjectGate, Sensitivity
from predella.services import sayings

MAX_REASON = 2_000


def lock_of(table: str) -> TextClause:
    """Return what locks the items of the objects in a table, and those that show their pictures.

    In the order of ids, as workers do: nobody waits for each other in a circle.
    """
    return text(f"""
        WITH theirs AS (
            SELECT item.id, picture_id FROM item JOIN {table} USING (object_number)
            WHERE collection_id = :collection_id
        )
        SELECT count(*) FROM (
            SELECT FROM item WHERE id IN (
                SELECT id FROM theirs
                UNION SELECT other.id FROM item other JOIN theirs USING (picture_id)
            ) ORDER BY id FOR UPDATE
        ) locked
    """)  # noqa: S608  (names of our own tables)


_LOCK_WANTED = lock_of("wanted")


def unfinish(table: str) -> TextClause:
    """Return what has hand-ins end once more whose items came free with the objects in a table.

    Those in the same pictures came free with them.
    """
    return text(f"""
        UPDATE submission SET finished_at = NULL
        FROM (
            SELECT item.submission_id FROM item JOIN {table} USING (object_number)
            WHERE collection_id = :collection_id AND item.state = 'waiting'
            UNION
            SELECT beside.submission_id FROM item JOIN {table} USING (object_number)
            JOIN item beside ON beside.picture_id = item.picture_id
            WHERE item.collection_id = :collection_id AND beside.state = 'waiting'
        ) free
        WHERE submission.id = free.submission_id AND finished_at IS NOT NULL
    """)  # noqa: S608  (the names are ours)


_UNFINISH_WANTED = unfinish("wanted")

_WANTED = text("""
    CREATE TEMPORARY TABLE wanted ON COMMIT DROP AS
    SELECT object_number, CAST(said AS jsonb) AS said
    FROM unnest(:numbers, :said) AS wanted (object_number, said)
""").bindparams(bindparam("numbers", type_=ARRAY(String)), bindparam("said", type_=ARRAY(String)))

# What is not among the words of ``said`` stays as it is.
_BECOME = """
    SELECT wanted.object_number, gate.is_open AS was_open, become.sensitivity,
        become.sensitivity_note, become.ai_processing, become.exportable, become.embargo_until,
        become.rights_work, become.ai_processing AND become.sensitivity <> 'restricted' AS opens,
        to_jsonb(gate) <> to_jsonb(become) AS differs
    FROM wanted
    LEFT JOIN object_gate gate ON gate.collection_id = :collection_id
        AND gate.object_number = wanted.object_number
    CROSS JOIN LATERAL jsonb_populate_record(gate, wanted.said) become
"""
_COUNT = text(f"""
    SELECT count(*) AS objects, count(*) FILTER (WHERE differs) AS changed,
        count(*) FILTER (WHERE was_open AND NOT opens) AS closed,
        count(*) FILTER (WHERE NOT was_open AND opens) AS opened,
        coalesce(array_agg(object_number ORDER BY object_number)
            FILTER (WHERE was_open IS NULL), '{{}}') AS unknown
    FROM ({_BECOME}) become
""")  # noqa: S608  (our own words)
_CHANGE = text(f"""
    UPDATE object_gate SET
        sensitivity = become.sensitivity, sensitivity_note = become.sensitivity_note,
        ai_processing = become.ai_processing, exportable = become.exportable,
        embargo_until = become.embargo_until, rights_work = become.rights_work,
        account_id = :account_id, submission_id = NULL, reason = :reason, changed_at = :now
    FROM ({_BECOME}) become
    WHERE object_gate.collection_id = :collection_id
        AND object_gate.object_number = become.object_number
""")  # noqa: S608  (our own words)


@dataclass(frozen=True)
class Change:
    """What is to be different about an object's gate; None leaves a thing as it is."""

    sensitivity: Sensitivity | None = None
    sensitivity_note: str | None = None
    ai_processing: bool | None = None
    exportable: bool | None = None
    embargo_until: date | None = None
    rights_work: str | None = None
    clear: Sequence[str] = ()
    """Names of those of the last four to empty: ``embargo_until``, ``rights_work`` ..."""

    def but(self, own: Mapping[str, Any]) -> "Change":
        """Return the same but for what one object has of its own."""
        return replace(self, **own, clear=[name for name in self.clear if name not in own])


@dataclass(frozen=True)
class Counted:
    """What a change does, or would do, to the gates that it names."""

    objects: int
    """Named."""
    changed: int
    """Of which something is other than before."""
    closed: int
    """That were open."""
    opened: int
    unknown: Sequence[str]
    """Numbers of which no object was handed in to the collection."""


_CLEARABLE = ("sensitivity_note", "embargo_until", "rights_work")


def get(session: Session, collection_id: CollectionId, object_number: str) -> ObjectGate:
    """Return the gate of one object.

    Raises:
        NotFoundError: no object of this number was handed in to the collection.
    """
    found = session.get(ObjectGate, (collection_id, object_number), populate_existing=True)
    if found is None:
        raise NotFoundError("object", object_number)
    return found


def beside(session: Session, collection_id: CollectionId, object_number: str) -> Sequence[str]:
    """Return the numbers of other objects in its pictures that keep texts about those back."""
    theirs = select(Item.picture_id).where(
        Item.collection_id == collection_id, Item.object_number == object_number
    )
    keeps_back = or_(
        ObjectGate.sensitivity != Sensitivity.NONE,
        ~ObjectGate.ai_processing,
        ~ObjectGate.exportable,
        ObjectGate.embargo_until > func.current_date(),
        ObjectGate.rights_work.is_(None),
    )
    others = (
        select(ObjectGate.object_number)
        .join(
            Item,
            (Item.collection_id == ObjectGate.collection_id)
            & (Item.object_number == ObjectGate.object_number),
        )
        .where(Item.picture_id.in_(theirs), ~Item.is_withdrawn, keeps_back)
        .where(ObjectGate.object_number != object_number)
    )
    return session.scalars(others.distinct().order_by(ObjectGate.object_number)).all()


def change(
    session: Session,
    collection_id: CollectionId,
    object_number: str,
    to: Change,
    *,
    account: Account,
    reason: str,
) -> ObjectGate:
    """Open or close an object's gate from now on, everywhere at once.

    It stays so until a manifest says something about the object that none said before.

    Raises:
        NotFoundError: no object of this number was handed in to the collection.
        InvalidError: nothing is to change, there is no reason, or the rights are no address
            of rightsstatements.org or creativecommons.org.
    """
    get(session, collection_id, object_number)
    change_many(session, collection_id, {object_number: to}, account=account, reason=reason)
    return get(session, collection_id, object_number)


def count(session: Session, collection_id: CollectionId, wanted: Mapping[str, Change]) -> Counted:
    """Return what changing these gates would do, by the numbers of their objects.

    Raises:
        InvalidError: one says nothing, or its rights are no address of a rights statement.
    """
    _want(session, wanted)
    counted = session.execute(_COUNT, {"collection_id": collection_id})
    return Counted(**counted.mappings().one())


def change_many(
    session: Session,
    collection_id: CollectionId,
    wanted: Mapping[str, Change],
    *,
    account: Account,
    reason: str,
) -> Counted:
    """Open or close the gates of many objects at once, by their numbers, for one reason.

    All of them, or none; as lasting as a change to one.

    Raises:
        UnknownObjectsError: of some numbers no object was handed in to the collection.
        InvalidError: there is no reason; or a change says nothing, or its rights are no
            address of rightsstatements.org or creativecommons.org.
    """
    names: dict[str, object] = {
        "collection_id": collection_id,
        "account_id": account.id,
        "reason": usable_reason(reason),
        "now": clock.now(),
    }
    _want(session, wanted)
    # Items before gates, and those in the order of their ids: as exports and workers do.
    session.execute(_LOCK_WANTED, names)
    counted = Counted(**session.execute(_COUNT, names).mappings().one())
    if counted.unknown:
        raise UnknownObjectsError(counted.unknown)
    session.execute(_CHANGE, names)
    session.execute(_UNFINISH_WANTED, names)
    session.expire_all()
    ring(session)
    return counted


def _want(session: Session, wanted: Mapping[str, Change]) -> None:
    session.flush()
    session.execute(text("DROP TABLE IF EXISTS pg_temp.wanted"))
    said = [_said(number, to) for number, to in wanted.items()]
    session.execute(_WANTED, {"numbers": list(wanted), "said": said})


def _said(number: str, to: Change) -> str:
    try:
        return json.dumps(_values(to), default=str)
    except InvalidError as error:
        raise InvalidError(f"{number}: {error}") from error


def ring(session: Session) -> None:
    """Wake workers for what may have come free."""
    for task in (queue.PREPARE, queue.ANALYZE):
        queue.ring_after_commit(session, task)


def _values(to: Change) -> dict[str, object]:
    given = {field.name: getattr(to, field.name) for field in fields(to) if field.name != "clear"}
    values = {name: value for name, value in given.items() if value is not None}
    if unknown := set(to.clear) - set(_CLEARABLE):
        raise InvalidError(f"{min(unknown)!r} cannot be empty; clear {', '.join(_CLEARABLE)}")
    if to.rights_work is not None:
        values["rights_work"] = _rights(to.rights_work)
    if to.sensitivity_note is not None:
        values["sensitivity_note"] = normalise(to.sensitivity_note).strip() or None
    values |= dict.fromkeys(to.clear)
    if not values:
        raise InvalidError("say what is to change, for example the sensitivity")
    return values


def _rights(said: str) -> str:
    statement = rights.canonical(said.strip())
    if statement is None:
        raise InvalidError(
            f"{said!r} is no rights statement: give an address of rightsstatements.org or"
            " creativecommons.org"
        )
    return statement


def usable_reason(reason: str) -> str:
    """Return why somebody does something, as it is kept.

    Raises:
        InvalidError: it is empty, or longer than 2,000 characters.
    """
    said = sayings.kept("reason", reason)
    if not said:
        raise InvalidError("say why: the reason is kept in the audit log")
    return said
