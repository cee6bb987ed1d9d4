"""Bags (BagIt, RFC 8493) that lie in a store: their checksums are those of the rows.

Nothing is hashed here: files are read once, when they are prepared, and compared then.
"""

import hashlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from sqlalchemy import text
from sqlalchemy.orm import Session

from predella import ids
from predella.formats import bagit
from predella.services.sources import Readable, is_prefix
from predella.services.staging import Counted, copy_rows
from predella.services.verdicts import Place
from predella.storage import Location

_MAX_TAG_BYTES = 100_000
_MAX_MANIFEST_BYTES = 2_000_000_000

_BAGGED = """
    CREATE TEMPORARY TABLE bagged (id uuid, key text, sha256 bytea, md5 bytea) ON COMMIT DROP
"""

# What the catalog's manifest says must agree with what the bag says.
_PIN = text("""
    UPDATE handed_in SET
        sha256 = coalesce(handed_in.sha256, bagged.sha256),
        md5 = coalesce(handed_in.md5, bagged.md5),
        code = CASE WHEN handed_in.sha256 <> bagged.sha256 OR handed_in.md5 <> bagged.md5
            THEN 'checksum_mismatch' END,
        sentence = CASE WHEN handed_in.sha256 <> bagged.sha256 OR handed_in.md5 <> bagged.md5
            THEN format('The manifest and the bag give different checksums of "%s".', filename) END
    FROM bagged WHERE bagged.key = :folder || filename AND code IS NULL
""")

_UNLISTED = text("""
    UPDATE handed_in SET code = 'not_in_bag', sentence = format(
        'The bag does not list "%s": it was added, or renamed, after the bag was made.', filename)
    FROM found
    WHERE found.key = :folder || filename AND code IS NULL
        AND NOT EXISTS (SELECT FROM bagged WHERE bagged.key = found.key)
""")

_MISSING = text("""
    INSERT INTO refusal (id, created_at, submission_id, row_number, filename, code, sentence)
    SELECT bagged.id, now(), :submission_id, 0, substr(bagged.key, length(:folder) + 1),
        'missing_from_bag', 'The bag lists this file, and it is not there; copy the bag again.'
    FROM bagged
    WHERE NOT EXISTS (SELECT FROM found WHERE found.key = bagged.key)
        AND NOT EXISTS (SELECT FROM handed_in WHERE :folder || filename = bagged.key)
""")


@dataclass(frozen=True)
class Bag:
    """A bag that can be read."""

    place: Location
    """Its folder."""
    algorithm: str

    @property
    def payload(self) -> Location:
        """Where its files are."""
        return Location(self.place.bucket, self.place.key + bagit.PAYLOAD)


def at(location: Location, store: Readable) -> Bag | None:
    """Return the bag that lies in a folder; None where there is none.

    Raises:
        BagError: there is one that cannot be used.
    """
    declaration = location.key + bagit.DECLARATION
    if not is_prefix(location) or not store.exists(location.bucket, declaration):
        return None
    bagit.check_declaration(_read(store, location.bucket, declaration))
    known = (bagit.FETCH, *map(bagit.manifest_name, bagit.ALGORITHMS))
    names = [name for name in known if store.exists(location.bucket, location.key + name)]
    return Bag(location, bagit.algorithm_of(names))


def pin(session: Session, bag: Bag, place: Place, counted: Counted, store: Readable) -> Counted:
    """Give every row the checksum that the bag has for its file; return what was read in all.

    Raises:
        BagError: the bag's list cannot be read.
    """
    session.execute(text("DROP TABLE IF EXISTS pg_temp.bagged"))
    session.execute(text(_BAGGED))
    name = bag.place.key + bagit.manifest_name(bag.algorithm)
    with tempfile.TemporaryFile() as copy:
        store.copy_pinned(store.head(bag.place.bucket, name), copy, max_bytes=_MAX_MANIFEST_BYTES)
        copy.seek(0)
        digest = hashlib.file_digest(copy, "sha256").digest()
        copy.seek(0)
        copy_rows(session, "COPY bagged (id, key, sha256, md5) FROM STDIN", _rows(bag, copy))
    for statement in (_PIN, _UNLISTED):
        session.execute(statement, {"folder": place.folder})
    return Counted(counted.rows, hashlib.sha256(counted.sha256 + digest).digest())


def refuse_missing(session: Session, place: Place) -> None:
    """Write down which files the bag lists that are not there, and that no row names."""
    session.execute(_MISSING, {"folder": place.folder, "submission_id": place.submission_id})


def _rows(bag: Bag, stream: BinaryIO) -> Iterator[tuple[Any, ...]]:
    for entry in bagit.entries(stream, bag.algorithm):
        digests = [entry.digest if bag.algorithm == each else None for each in bagit.ALGORITHMS]
        yield (ids.new(), bag.place.key + entry.path, *digests)


def _read(store: Readable, bucket: str, key: str) -> bytes:
    with tempfile.TemporaryFile() as copy:
        store.copy_pinned(store.head(bucket, key), copy, max_bytes=_MAX_TAG_BYTES)
        copy.seek(0)
        return copy.read()
