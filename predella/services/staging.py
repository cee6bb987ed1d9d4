"""What a hand-in holds, put into two temporary tables that SQL can compare.

``found`` is what the store has, ``handed_in`` what the team wrote. Both are filled by COPY as
they are read, so that a hand-in of any size needs the memory of one row.
"""

import hashlib
import posixpath
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from itertools import islice
from typing import Any, BinaryIO

from psycopg.types.json import Jsonb
from sqlalchemy import text
from sqlalchemy.orm import Session

from predella import ids
from predella.formats import manifest
from predella.formats.manifest import NONE, ManifestRow, Numbering, RowProblem
from predella.formats.manifest.rows import build
from predella.storage import ObjectVersion

PICTURE_TYPES = (
    *(".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp"),
    *(".jp2", ".jpx", ".jpf", ".j2k", ".j2c"),
)
_SIDECARS = {".xmp", ".dng", ".md5", ".ini"}
_SIDECAR_NAMES = {"thumbs.db"}
_CHUNK = 5_000

_TYPES = {
    "id": "uuid",
    "row_number": "integer",
    "sequence": "integer",
    "primary": "boolean",
    "sha256": "bytea",
    "md5": "bytea",
    "ai_processing": "boolean",
    "export": "boolean",
    "embargo_until": "date",
    "extra": "jsonb",
}
_CELLS = tuple(field.name for field in fields(ManifestRow) if field.name != "number")
_ROW_COLUMNS = ("id", "row_number", "path", "code", "sentence", *_CELLS)

_DROP = "DROP TABLE IF EXISTS pg_temp.found, pg_temp.handed_in"
_FOUND = """
    CREATE TEMPORARY TABLE found (
        id uuid, key text, folder text, path text, size bigint, etag text, version_id text,
        is_picture boolean
    ) ON COMMIT DROP
"""
_HANDED_IN = (
    "CREATE TEMPORARY TABLE handed_in ("
    + ", ".join(f'"{name}" {_TYPES.get(name, "text")}' for name in _ROW_COLUMNS)
    + ") ON COMMIT DROP"
)


@dataclass(frozen=True)
class Counted:
    """How much was read, and the digest of the bytes it was read from."""

    rows: int
    sha256: bytes


def open_tables(session: Session) -> None:
    """Make both tables, empty; they go with the transaction."""
    for statement in (_DROP, _FOUND, _HANDED_IN):
        session.execute(text(statement))


def analyze(session: Session) -> None:
    """Tell the planner how large both tables have become."""
    session.execute(text("ANALYZE found, handed_in"))


def stage_objects(session: Session, objects: Iterable[ObjectVersion]) -> None:
    """Put what the store has into ``found``."""
    columns = "id, key, folder, path, size, etag, version_id, is_picture"
    copy_rows(session, f"COPY found ({columns}) FROM STDIN", map(_object_cells, objects))


def stage_manifest(
    session: Session, stream: BinaryIO, *, name: str, numbering: Numbering = NONE
) -> Counted:
    """Put every row of a manifest into ``handed_in``, the faulty ones with their faults.

    Raises:
        ManifestError: the manifest as a whole cannot be used.
    """
    digest = hashlib.sha256()
    while chunk := stream.read(1 << 20):
        digest.update(chunk)
    stream.seek(0)
    rows = manifest.read(stream, name=name, numbering=numbering)
    return Counted(_stage_rows(session, rows), digest.digest())


def stage_names(session: Session, *, below: str, numbering: Numbering = NONE) -> Counted:
    """Make a row of every object in ``found``: the file's name tells the object's number.

    With a numbering it does so only by its pattern.
    """
    return Counted(_stage_rows(session, _rows_from_names(session, below, numbering)), b"")


def _rows_from_names(
    session: Session, below: str, numbering: Numbering
) -> Iterator[ManifestRow | RowProblem]:
    keys = session.execute(
        text('SELECT key FROM found ORDER BY key COLLATE "C"'),
        execution_options={"yield_per": _CHUNK},
    ).scalars()
    pictures = (key for key in keys if not is_sidecar(key))
    for place, key in enumerate(pictures, start=1):
        stem = "" if numbering else posixpath.splitext(posixpath.basename(key))[0]
        cells = {"object_number": stem, "filename": key.removeprefix(below)}
        yield build(place, cells, numbering)


def _stage_rows(session: Session, rows: Iterator[ManifestRow | RowProblem]) -> int:
    """COPY in pieces: the rows may come from a cursor on the same connection."""
    columns = ", ".join(f'"{name}"' for name in _ROW_COLUMNS)
    count = 0
    while piece := list(islice(rows, _CHUNK)):
        copy_rows(session, f"COPY handed_in ({columns}) FROM STDIN", map(_row_cells, piece))
        count += len(piece)
    return count


def copy_rows(session: Session, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
    """Put rows into a table as they come."""
    driver: Any = session.connection().connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def _object_cells(found: ObjectVersion) -> tuple[Any, ...]:
    folder = found.key[: found.key.rfind("/") + 1]
    return (
        ids.new(),
        found.key,
        folder,
        comparable(found.key),
        found.size,
        found.etag,
        found.version_id,
        is_picture(found.key),
    )


def _row_cells(row: ManifestRow | RowProblem) -> tuple[Any, ...]:
    if isinstance(row, RowProblem):
        told = {"object_number": row.object_number, "filename": row.filename}
        return (ids.new(), row.number, None, row.code, row.sentence, *map(told.get, _CELLS))
    cells = [getattr(row, name) for name in _CELLS]
    cells[_CELLS.index("extra")] = Jsonb(row.extra)
    code, sentence = None, None
    if not is_picture(row.filename):
        code = "unsupported_type"
        sentence = (
            f'"{row.filename}" is not a kind of image that can be read'
            f" ({', '.join(kind[1:] for kind in PICTURE_TYPES)})."
        )
    return (ids.new(), row.number, comparable(row.filename), code, sentence, *cells)


def comparable(path: str) -> str:
    """Return a path without what people get wrong in one: case, accents' form, extension."""
    return posixpath.splitext(unicodedata.normalize("NFC", path).casefold())[0]


def is_picture(key: str) -> bool:
    """Tell by its name whether a file may be one that we read; hidden files are none."""
    name = posixpath.basename(key)
    return name.lower().endswith(PICTURE_TYPES) and not name.startswith(".")


def is_sidecar(key: str) -> bool:
    """Tell whether a file only goes along with an image and is no news to anybody."""
    name = posixpath.basename(key).lower()
    return (
        not name
        or name.startswith(".")
        or name in _SIDECAR_NAMES
        or posixpath.splitext(name)[1] in _SIDECARS
    )
