"""One export: read, written, uploaded, and only then remembered.

While the file is read and written nobody is held up. Between the reading and the remembering
somebody may undo an approval or close a gate: the database then refuses the lines, the file is
taken away again, and the whole is written anew.
"""

import hashlib
import struct
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import chain, count, tee
from typing import Any, BinaryIO
from uuid import UUID

import psycopg
from sqlalchemy import func, update
from sqlalchemy.orm import Session, joinedload

from predella import db
from predella.errors import ConflictError
from predella.formats import catalog, profiles
from predella.formats.bundle import Bundle, bundled
from predella.formats.catalog import CatalogFormat, WrittenLine
from predella.formats.entry import Departing
from predella.formats.profiles import Profile
from predella.models import Decision, Export, ExportFormat, ExportState
from predella.services import audits, outgoing, watching, webhooks
from predella.services.leases import Lease
from predella.services.outgoing import Burial, Departure
from predella.services.watching import Tell, to_nobody
from predella.storage import Location, Store

_OWN = "own"
"""What a museum's own profile is called where something is wrong in it."""
_TRIES = 3
_LINE = struct.Struct("<I16s16s16s32s16s?32s")
"""Number, item, analysis, revision, its sha256, review, whether by sample, sha256 of the record."""
_STONE = struct.Struct("<I16sI32s")
"""Number, export and number of the line that is withdrawn, sha256 of the record."""
_SNAPSHOT = {"isolation_level": "REPEATABLE READ"}
"""For what is read in several queries and has to fit together."""
_REMEMBER_LINES = """
    COPY export_line (export_id, number, item_id, analysis_id, revision_id, revision_sha256,
        review_id, decision, sha256) FROM STDIN
"""
_REMEMBER_STONES = """
    COPY export_tombstone (export_id, number, buried_export_id, buried_number, sha256) FROM STDIN
"""


@dataclass(frozen=True, slots=True)
class _Notes:
    """What was written to the file, kept on disk: its lines and its tombstones."""

    lines: BinaryIO
    stones: BinaryIO

    @property
    def line_count(self) -> int:
        return self.lines.tell() // _LINE.size

    @property
    def stone_count(self) -> int:
        return self.stones.tell() // _STONE.size


class _Digested:
    """Passes what is written on, and knows its size and its sha256."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self.size, self.sha256 = 0, hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.size += len(data)
        self.sha256.update(data)
        return self._out.write(data)


class NothingToExportError(ConflictError):
    """No text of the collection is approved, free to leave, and of a kind that the format takes."""

    def __init__(self, slug: str, kept_back: int) -> None:
        nothing = "no text is approved that this format takes"
        known = f"approved and kept back: {kept_back:,}" if kept_back else nothing
        super().__init__(f"nothing of {slug!r} may leave yet: {known}")
        self.slug, self.kept_back = slug, kept_back


class ApprovalUndoneError(ConflictError):
    """Somebody undid an approval, or closed a gate, while the file was being written."""

    def __init__(self, what: str) -> None:
        super().__init__(f"while the export was being written: {what}; start it again")
        self.what = what


def file_format(export: Export) -> CatalogFormat:
    """Return the format of an export's file: its media type, its suffix."""
    return form(export.format, export.profile)


def form(name: ExportFormat, profile: str | None) -> CatalogFormat:
    """Return a format, with a museum's own columns if it gave some.

    Raises:
        ProfileError: nothing could be written with them.
    """
    if profile is None:
        return catalog.named(name)
    return profiles.read(_OWN, profile.encode())


def write(lease: Lease, store: Store, *, tell: Tell = to_nobody) -> None:
    """Write the export that is in hand: the file, its lines, and how it ended.

    While it goes on ``tell`` is called, about once in a second.

    Raises:
        NothingToExportError: nothing may leave. A delta without any change is no error.
        ApprovalUndoneError: approvals were undone in every one of three tries.
        AlteredWordingError: a text is not the one that was approved.
        ConflictError: the export is in other hands by now.
        UnavailableError: the store does not answer.
    """
    for tries in count(1):
        try:
            _write(lease, store, tell)
        except ApprovalUndoneError:
            if tries == _TRIES:
                raise
        else:
            return


def _write(lease: Lease, store: Store, tell: Tell) -> None:
    """Write the file where it belongs while it is made; it appears when all of it is there."""
    place, form = _place(lease)
    with tempfile.TemporaryFile() as lines, tempfile.TemporaryFile() as stones:
        notes = _Notes(lines, stones)
        with store.writing(place.bucket, place.key, media_type=form.MEDIA_TYPE) as out:
            file = _Digested(out)
            _read(lease, form, file, notes, tell)
        ended = {
            "state": ExportState.WRITTEN,
            "line_count": notes.line_count + notes.stone_count,
            "withdrawn_count": notes.stone_count,
            "size": file.size,
            "sha256": file.sha256.digest(),
            "audit_head": _sealed(),
        }
        try:
            _remember(lease, notes, ended)
        except psycopg.errors.RestrictViolation as error:
            store.delete(place.bucket, place.key)
            raise ApprovalUndoneError(error.diag.message_primary or "refused") from error


def _place(lease: Lease) -> tuple[Location, CatalogFormat]:
    with db.transaction() as session:
        export = session.get_one(Export, lease.id)
        return Location.parse(export.destination), file_format(export)


def _read(lease: Lease, form: CatalogFormat, file: _Digested, notes: _Notes, tell: Tell) -> None:
    """Write all that is to leave to the file, and note its lines."""
    with db.transaction() as session:
        session.connection(execution_options=_SNAPSHOT)
        export = session.get_one(Export, lease.id, options=[joinedload(Export.collection)])
        form = _in_its_languages(session, export, form)
        departing, noted = tee(_going(session, lease, export, form, tell))
        written = catalog.write(map(_entry, departing), file, to=form)
        for number, (line, one) in enumerate(zip(written, noted, strict=True), start=1):
            _note(notes, number, line, one)
        if export.since is None and not notes.line_count:
            kept_back = outgoing.kept_back(session, export.collection_id, kinds=form.KINDS)
            raise NothingToExportError(export.collection.slug, sum(kept_back.values()))


def _in_its_languages(session: Session, export: Export, form: CatalogFormat) -> CatalogFormat:
    """Return the format with the columns for the languages that there are, where it asks for it."""
    if not (isinstance(form, Profile) and form.asks_for_languages):
        return form
    return form.within(outgoing.languages(session, export, kinds=form.KINDS))


def _going(
    session: Session, lease: Lease, export: Export, form: CatalogFormat, tell: Tell
) -> Iterator[Departure | Burial]:
    """Return all that may leave; for a delta the records of which something is different."""
    of, kinds, unit = export.collection, form.KINDS, form.UNIT
    total = watching.expected(session, export)
    if export.since is None:
        departing = outgoing.departures(session, of, kinds=kinds, unit=unit)
        return watching.watched(lease, departing, total=total, tell=tell)
    both: tuple[Iterator[Departure | Burial], ...] = (
        outgoing.departures(session, of, kinds=kinds, unit=unit, delta=export),
        outgoing.burials(session, of, kinds=kinds, unit=unit, delta=export),
    )
    merged = merge(*both, key=lambda one: unit.place(one.entry))
    every = watching.watched(lease, merged, total=total, tell=tell)
    records = bundled(every, unit, _entry)
    return chain.from_iterable(record for record in records if _is_news(record, form))


def _is_news(record: Sequence[Departure | Burial], form: CatalogFormat) -> bool:
    """Say whether it would be other bytes than those that the receiver has of any of its texts."""
    digest = hashlib.sha256(form.encode(Bundle.of(list(map(_entry, record))))).digest()
    return any(isinstance(one, Burial) or one.carried != digest for one in record)


def _entry(one: Departure | Burial) -> Departing:
    return one.entry


def _sealed() -> bytes | None:
    """Seal what was decided so far; in a transaction of its own, so that nobody waits for us."""
    with db.transaction() as session:
        return audits.seal(session)


def _note(notes: _Notes, number: int, line: WrittenLine, one: Departure | Burial) -> None:
    if isinstance(one, Burial):
        notes.stones.write(_STONE.pack(number, one.export_id.bytes, one.number, line.sha256))
        return
    notes.lines.write(
        _LINE.pack(
            number,
            one.item_id.bytes,
            one.analysis_id.bytes,
            one.revision_id.bytes,
            one.revision_sha256,
            one.review_id.bytes,
            one.decision is Decision.ACCEPTED_BY_SAMPLE,
            line.sha256,
        )
    )


def _remember(lease: Lease, notes: _Notes, ended: Mapping[str, object]) -> None:
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
        _copy(session, _REMEMBER_LINES, _lines(lease, notes))
        _copy(session, _REMEMBER_STONES, _stones(lease, notes))
        webhooks.ring(session)


def _copy(session: Session, into: str, rows: Iterator[tuple[object, ...]]) -> None:
    driver: Any = session.connection().connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(into) as copy:
        for row in rows:
            copy.write_row(row)


def _note_kept_back(session: Session, lease: Lease) -> None:
    """Enter in the audit log what this export leaves out, and why: one entry."""
    export = session.get_one(Export, lease.id, options=[joinedload(Export.account)])
    kinds = file_format(export).KINDS
    if kept := outgoing.kept_back(session, export.collection_id, kinds=kinds):
        audits.note(
            session,
            action="gates.kept_back",
            subject_kind="export",
            subject_id=export.id,
            account=export.account,
            details={gate.value: count for gate, count in kept.items()},
        )


def _lines(lease: Lease, notes: _Notes) -> Iterator[tuple[object, ...]]:
    for note in _read_back(notes.lines, _LINE):
        number, item, analysis, revision, revision_sha256, review, by_sample, sha256 = note
        yield (
            lease.id,
            number,
            UUID(bytes=item),
            UUID(bytes=analysis),
            UUID(bytes=revision),
            revision_sha256,
            UUID(bytes=review),
            (Decision.ACCEPTED_BY_SAMPLE if by_sample else Decision.APPROVED).value,
            sha256,
        )


def _stones(lease: Lease, notes: _Notes) -> Iterator[tuple[object, ...]]:
    for number, export, buried, sha256 in _read_back(notes.stones, _STONE):
        yield lease.id, number, UUID(bytes=export), buried, sha256


def _read_back(notes: BinaryIO, form: struct.Struct) -> Iterator[tuple[Any, ...]]:
    notes.seek(0)
    return map(form.unpack, iter(lambda: notes.read(form.size), b""))
