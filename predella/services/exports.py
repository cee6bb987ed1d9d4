"""Exports: approved wordings handed over to a catalog system, remembered line by line."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import BinaryIO
from uuid import UUID

import structlog
from sqlalchemy import Select, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, joinedload

from predella import db, ids, queue
from predella.errors import (
    ConflictError,
    InvalidError,
    NameTakenError,
    NotFoundError,
    PredellaError,
    UnavailableError,
)
from predella.formats import addresses
from predella.formats.catalog import CatalogFormat
from predella.ids import CollectionId, ExportId, Reach
from predella.models import (
    Account,
    Collection,
    Export,
    ExportFormat,
    ExportLine,
    ExportState,
    ExportTombstone,
    Item,
)
from predella.services import deltas, exporting, leases, webhooks
from predella.services.leases import Lease
from predella.services.watching import Tell, to_nobody
from predella.settings import get_settings
from predella.storage import Location, Store

_FOLDER = "exports/"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

log = structlog.get_logger()


class NoAddressesError(InvalidError):
    """A format names things by addresses, and this service does not know its own."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} names everything by its address on the web: set PREDELLA_PUBLIC_URL to the"
            " address of this service, as https://predella.museum.example"
        )
        self.name = name


@dataclass(frozen=True)
class ExportedLine:
    """One line of an export, with the number of its object; or what it withdraws of another."""

    line: ExportLine
    """What left. Of a tombstone the line that it withdraws, which is of an earlier export."""
    object_number: str
    number: int
    """In this export's file."""
    sha256: bytes
    """Of the bytes of its record in this export's file, which texts of one object may share."""
    is_withdrawn: bool = False


def create(
    session: Session,
    collection: Collection,
    *,
    account: Account,
    format: ExportFormat,  # noqa: A002  (the word that the command line and the API use)
    destination: str | None = None,
    profile: str | None = None,
    since: UUID | datetime | None = None,
) -> Export:
    """Ask for an export; a worker writes it once this transaction has committed.

    Without a ``destination`` the file gets a name of its own below ``exports/`` in our bucket.
    A ``profile`` is a museum's own columns for ``csv``, in YAML. With ``since``, an earlier
    export or a moment, it is a delta: what changed, and what is withdrawn.

    Raises:
        ProfileError: nothing could be written with the profile.
        NoAddressesError: the format needs the address of this service, which nobody has set.
        NoDeltaError: the format cannot tell what was withdrawn.
        NoSuchMomentError: the moment is still to come, or long past.
        NotFoundError: there is no such earlier export in this collection.
        ForeignExportError: that export is none that a delta like this can follow.
        SourceError: the destination is no ``s3://`` address.
        InvalidError: it lies elsewhere than below ``exports/`` in our own bucket.
        NameTakenError: another export was, or is being, written there.
    """
    export_id = ids.new()
    form = _form(format, profile)
    own = f"s3://{get_settings().bucket}/{_FOLDER}{collection.slug}/{export_id}{form.SUFFIX}"
    export = Export(
        id=export_id,
        collection=collection,
        account=account,
        format=format,
        profile=profile,
        since=None
        if since is None
        else deltas.moment(session, collection, since, format=format, form=form, profile=profile),
        destination=str(_usable(destination)) if destination else own,
    )
    try:
        with session.begin_nested():
            session.add(export)
    except IntegrityError as error:
        raise NameTakenError("export", export.destination) from error
    queue.ring_after_commit(session, queue.EXPORT)
    return export


def get(session: Session, export_id: ExportId) -> Export:
    """Return one export with its collection and its account.

    Raises:
        NotFoundError: there is none with this id.
    """
    found = session.scalar(_whole().where(Export.id == export_id))
    if found is None:
        raise NotFoundError("export", export_id)
    return found


def listed(
    session: Session,
    *,
    within: Reach,
    collection_id: CollectionId | None = None,
    after: UUID | None = None,
    limit: int = 50,
) -> Sequence[Export]:
    """Return exports with their collections and accounts, the oldest first."""
    page = _whole().where(db.inside(Export.collection_id, within)).order_by(Export.id).limit(limit)
    if collection_id is not None:
        page = page.where(Export.collection_id == collection_id)
    if after is not None:
        page = page.where(Export.id > after)
    return session.scalars(page).all()


def latest(
    session: Session, *, within: Reach, before: UUID | None = None, limit: int = 50
) -> Sequence[Export]:
    """Return exports with their collections and accounts, the newest first."""
    page = _whole().where(db.inside(Export.collection_id, within))
    page = page.order_by(Export.id.desc()).limit(limit)
    return session.scalars(page.where(Export.id < before) if before else page).all()


def lines(
    session: Session, export_id: ExportId, *, after: int = 0, limit: int = 50
) -> Sequence[ExportedLine]:
    """Return what left or was withdrawn, in the order of the file; ``after`` is a line's number."""
    left = (
        select(ExportLine, Item.object_number)
        .join(Item, Item.id == ExportLine.item_id)
        .where(ExportLine.export_id == export_id, ExportLine.number > after)
        .order_by(ExportLine.number)
        .limit(limit)
    )
    found = [
        ExportedLine(line, object_number, line.number, line.sha256)
        for line, object_number in session.execute(left)
    ]
    found.extend(_withdrawn(session, export_id, after=after, limit=limit))
    return sorted(found, key=attrgetter("number"))[:limit]


def _withdrawn(
    session: Session, export_id: ExportId, *, after: int, limit: int
) -> Iterator[ExportedLine]:
    """Yield the tombstones of an export; they stand among its lines."""
    stones = (
        select(ExportTombstone, ExportLine, Item.object_number)
        .join(
            ExportLine,
            (ExportLine.export_id == ExportTombstone.buried_export_id)
            & (ExportLine.number == ExportTombstone.buried_number),
        )
        .join(Item, Item.id == ExportLine.item_id)
        .where(ExportTombstone.export_id == export_id, ExportTombstone.number > after)
        .order_by(ExportTombstone.number)
        .limit(limit)
    )
    for stone, line, object_number in session.execute(stones):
        yield ExportedLine(line, object_number, stone.number, stone.sha256, is_withdrawn=True)


def require_file(export: Export) -> None:
    """Refuse an export that has no file.

    Raises:
        ConflictError: it is not written yet, or never was.
    """
    if export.state is not ExportState.WRITTEN:
        raise ConflictError(
            f"export {export.id} has no file: {export.error or 'it is being written'}"
        )


def open_file(export: Export, store: Store, piece: range | None = None) -> BinaryIO:
    """Return a stream of an export's file, or of a piece of it.

    Raises:
        ConflictError: it is not written yet, or never was.
        MissingObjectError: somebody removed it from the bucket.
        UnavailableError: the store does not answer.
    """
    require_file(export)
    place = Location.parse(export.destination)
    return store.open(place.bucket, place.key, piece)


def take(session: Session, export: Export) -> Lease:
    """Take an export in hand that this transaction has made, so that no worker does."""
    return leases.take(session, Export, export.id)


def write_waiting(store: Store) -> bool:
    """Write the oldest export that waits; False when none does.

    What keeps it from being written is noted in the export, and is no error here.
    """
    with db.transaction() as session:
        lease = leases.claim(session, Export, Export.state == ExportState.WRITING)
    if lease is None:
        return False
    try:
        write_leased(lease, store)
    except PredellaError as error:
        log.warning("export_failed", export_id=str(lease.id), error=str(error))
    return True


def write_leased(lease: Lease, store: Store, *, tell: Tell = to_nobody) -> None:
    """Write an export that the caller has in hand; ``tell`` hears how far it has come.

    Raises:
        UnavailableError: the store does not answer. The export is put off, or has failed when
            this was its last attempt.
        ConflictError: there is nothing to export, approvals were undone again and again while
            it was written, or somebody else has it by now. But for the last, it has failed.
    """
    try:
        with leases.kept_alive(lease):
            exporting.write(lease, store, tell=tell)
    except UnavailableError as error:
        _put_off(lease, error)
        raise
    except PredellaError as error:
        _fail(lease, str(error))
        raise


def _put_off(lease: Lease, error: UnavailableError) -> None:
    if lease.attempt >= get_settings().max_attempts:
        _fail(lease, f"it could not be written {lease.attempt} times: {error}")
        return
    with db.transaction() as session:
        leases.pause(session, lease)


def _fail(lease: Lease, sentence: str) -> None:
    """Note why an export has failed, unless somebody else has it by now."""
    with db.transaction() as session:
        session.execute(
            update(Export)
            .where(Export.id == lease.id, Export.lease_token == lease.token)
            .values(state=ExportState.FAILED, error=sentence, lease_token=None, lease_until=None)
        )
        webhooks.ring(session)


def _form(
    format: ExportFormat,  # noqa: A002  (the word that the command line and the API use)
    profile: str | None,
) -> CatalogFormat:
    """Return the format, if it can be written."""
    if profile is not None and format is not ExportFormat.CSV:
        raise InvalidError(f"a profile names columns of csv; {format} has none")
    form = exporting.form(format, profile)
    if form.ADDRESSED and not addresses.usable(get_settings().public_url):
        raise NoAddressesError(format)
    return form


def _usable(destination: str) -> Location:
    place, bucket = Location.parse(destination), get_settings().bucket
    steps = place.key.split("/")
    if (
        place.bucket != bucket
        or not place.key.startswith(_FOLDER)
        or not {"", ".", ".."}.isdisjoint(steps)
        or _CONTROL.search(place.key)
    ):
        raise InvalidError(
            f"an export is written below s3://{bucket}/{_FOLDER} with a file's name at the end;"
            f" {destination!r} is not such a place"
        )
    return place


def _whole() -> Select[Export]:
    return select(Export).options(joinedload(Export.collection), joinedload(Export.account))
