"""One export: read, written, uploaded, and only then remembered.

While the file is read and written nobody is held up. Between the reading and the remembering
somebody may undo an approval or close a gate: the database then refuses the lines, the file is
taken away again, and the whole is written anew.
"""

import hashlib
import struct
import tempfile
from collections.abc import Iterator, Mapping
from io import BufferedRandom
from itertools import count, tee
from typing import Any, BinaryIO
from uuid import UUID

import psycopg
from sqlalchemy import func, update
from sqlalchemy.orm import Session, joinedload

from predella import db
from predella.errors import ConflictError
from predella.formats import catalog
from predella.formats.catalog import CatalogFormat, WrittenLine
from predella.models import Decision, Export, ExportState
from predella.services import audits, outgoing, webhooks
from predella.services.leases import Lease
from predella.services.outgoing import Departure
from predella.storage import Location, Store

_TRIES = 3
_NOTE = struct.Struct("16s16s16s32s16s32s")
"""Item, analysis, revision, its sha256, review, sha256 of the entry: one line, kept on disk."""
_REMEMBER = """
    COPY export_line (export_id, number, item_id, analysis_id, revision_id, revision_sha256,
        review_id, decision, sha256) FROM STDIN
"""


class NothingToExportError(ConflictError):
    """No text of the collection is approved and free to leave."""

    def __init__(self, slug: str, kept_back: int) -> None:
        known = f"{kept_back} approved texts are kept back" if kept_back else "no text is approved"
        super().__init__(f"nothing of {slug!r} may leave yet: {known}")
        self.slug, self.kept_back = slug, kept_back


class ApprovalUndoneError(ConflictError):
    """Somebody undid an approval, or closed a gate, while the file was being written."""

    def __init__(self, what: str) -> None:
        super().__init__(f"while the export was being written: {what}; start it again")
        self.what = what


def write(lease: Lease, store: Store) -> None:
    """Write the export that is in hand: the file, its lines, and how it ended.

    Raises:
        NothingToExportError: nothing may leave.
        ApprovalUndoneError: approvals were undone in every one of three tries.
        AlteredWordingError: a text is not the one that was approved.
        ConflictError: the export is in other hands by now.
        UnavailableError: the store does not answer.
    """
    for tries in count(1):
        try:
            _write(lease, store)
        except ApprovalUndoneError:
            if tries == _TRIES:
                raise
        else:
            return


def _write(lease: Lease, store: Store) -> None:
    with tempfile.TemporaryFile() as file, tempfile.TemporaryFile() as notes:
        place, form = _read(lease, file, notes)
        ended = {
            "state": ExportState.WRITTEN,
            "line_count": notes.tell() // _NOTE.size,
            "size": file.tell(),
            "sha256": _sha256(file),
            "audit_head": _sealed(),
        }
        file.seek(0)
        store.put(place.bucket, place.key, file, media_type=form.MEDIA_TYPE)
        try:
            _remember(lease, notes, ended)
        except psycopg.errors.RestrictViolation as error:
            store.delete(place.bucket, place.key)
            raise ApprovalUndoneError(error.diag.message_primary or "refused") from error


def _read(lease: Lease, file: BinaryIO, notes: BinaryIO) -> tuple[Location, CatalogFormat]:
    """Write all that may leave to the file, and note its lines; return where it is to go."""
    with db.transaction() as session:
        export = session.get_one(Export, lease.id, options=[joinedload(Export.collection)])
        form = catalog.named(export.format)
        departing, noted = tee(outgoing.departures(session, export.collection))
        written = catalog.write((departure.entry for departure in departing), file, to=form)
        notes.writelines(map(_note, written, noted))
        if not notes.tell():
            kept_back = outgoing.kept_back(session, export.collection_id)
            raise NothingToExportError(export.collection.slug, sum(kept_back.values()))
        return Location.parse(export.destination), form


def _sealed() -> bytes | None:
    """Seal what was decided so far; in a transaction of its own, so that nobody waits for us."""
    with db.transaction() as session:
        return audits.seal(session)


def _note(line: WrittenLine, departure: Departure) -> bytes:
    return _NOTE.pack(
        departure.item_id.bytes,
        departure.analysis_id.bytes,
        departure.revision_id.bytes,
        departure.revision_sha256,
        departure.review_id.bytes,
        line.sha256,
    )


def _remember(lease: Lease, notes: BinaryIO, ended: Mapping[str, object]) -> None:
    """End the export and keep its lines, if it is still in hand: both or neither."""
    with db.transaction() as session:
        mine = (Export.id == lease.id) & (Export.lease_token == lease.token)
        given_back = {"written_at": func.now(), "lease_token": None, "lease_until": None}
        held = session.scalar(
            update(Export).where(mine).values({**ended, **given_back}).returning(Export.id)
        )
        if held is None:
            raise ConflictError(f"export {lease.id} is in other hands by now")
        _note_kept_back(session, lease)
        driver: Any = session.connection().connection.driver_connection
        with driver.cursor() as cursor, cursor.copy(_REMEMBER) as copy:
            for row in _lines(lease, notes):
                copy.write_row(row)
        webhooks.ring(session)


def _note_kept_back(session: Session, lease: Lease) -> None:
    """Enter in the audit log what this export leaves out, and why: one entry."""
    export = session.get_one(Export, lease.id, options=[joinedload(Export.account)])
    if kept := outgoing.kept_back(session, export.collection_id):
        audits.note(
            session,
            action="gates.kept_back",
            subject_kind="export",
            subject_id=export.id,
            account=export.account,
            details={gate.value: count for gate, count in kept.items()},
        )


def _lines(lease: Lease, notes: BinaryIO) -> Iterator[tuple[object, ...]]:
    notes.seek(0)
    packed = iter(lambda: notes.read(_NOTE.size), b"")
    for number, note in enumerate(packed, start=1):
        item, analysis, revision, revision_sha256, review, sha256 = _NOTE.unpack(note)
        yield (
            lease.id,
            number,
            UUID(bytes=item),
            UUID(bytes=analysis),
            UUID(bytes=revision),
            revision_sha256,
            UUID(bytes=review),
            Decision.APPROVED.value,
            sha256,
        )


def _sha256(file: BufferedRandom) -> bytes:
    file.seek(0)
    return hashlib.file_digest(file, "sha256").digest()
