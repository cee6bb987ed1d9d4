"""A look at the first bytes of every picture that is new, before anything is queued.

Pieces are fetched by many threads at once; what they hold is read in a confined process, which
has no network and which a hostile file may kill. Of a picture that an accepted item knows already
nothing is fetched, unless its metadata is to tell its object number.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, cast

import structlog
from sqlalchemy import CursorResult, text
from sqlalchemy.orm import Session

from predella.confined.process import Confined, DefectError, DiedError
from predella.errors import MissingObjectError, RefusedImageError, SourceChangedError
from predella.formats.headers import MAX_NUMBERS, Field
from predella.formats.headers.limits import require_bytes, require_size
from predella.formats.manifest.problems import CellError, shown
from predella.formats.manifest.rows import require_readable
from predella.formats.manifest.values import line
from predella.services.sources import Readable
from predella.services.staging import copy_rows
from predella.services.verdicts import Place
from predella.services.watching import Tell, to_nobody
from predella.settings import get_settings
from predella.storage import ObjectVersion

_MODULE = "predella.formats.headers.child"
_AT_ONCE = 32
_GROUP = 1_000
_FIRST = 1 << 15
"""Bytes that are fetched of every picture."""
_LEAST = 1 << 14
"""Bytes that are fetched when more is needed."""
_MOST_PIECES = 24
_MOST_BYTES = 8 << 20
_SECONDS = 10

log = structlog.get_logger()

_LOOKED = """
    CREATE TEMPORARY TABLE looked (
        key text, place integer, number text, code text, sentence text
    ) ON COMMIT DROP
"""
_COPY = "COPY looked (key, place, number, code, sentence) FROM STDIN"

# A join, and no question for each row: there may be a million on either side.
_NEW = """
    SELECT DISTINCT placed.key, placed.size, placed.etag, placed.version_id
    FROM placed JOIN handed_in USING (id)
    LEFT JOIN item ON item.collection_id = :collection_id AND item.key = placed.key
        AND item.etag = placed.etag AND item.version_id IS NOT DISTINCT FROM placed.version_id
    WHERE handed_in.code IS NULL AND placed.size > 0 AND (
        item.id IS NULL OR :is_numbered AND handed_in.numbered_by IS DISTINCT FROM 'row'
    )
"""
_UNSEEN = text(f"{_NEW} ORDER BY placed.key")
_HOW_MANY = text(f"SELECT count(*) FROM ({_NEW}) unseen")  # noqa: S608  (both are ours)

# What is wrong with a picture holds for all of its rows; what is wrong with the numbers in it
# only for those that have none of their own.
_REFUSE = text("""
    UPDATE handed_in SET code = looked.code, sentence = looked.sentence
    FROM placed JOIN looked USING (key)
    WHERE placed.id = handed_in.id AND handed_in.code IS NULL AND (
        looked.code = 'unreadable'
        OR looked.code IS NOT NULL AND handed_in.numbered_by IS DISTINCT FROM 'row'
    )
""")

_NUMBER = text("""
    UPDATE handed_in SET object_number = looked.number, numbered_by = 'field'
    FROM placed JOIN looked USING (key)
    WHERE placed.id = handed_in.id AND handed_in.code IS NULL
        AND handed_in.numbered_by IS DISTINCT FROM 'row' AND looked.place = 1
""")

# A picture of several objects becomes several rows. Their ids begin with the moment of the
# first, as all of ours do, so that they stay beside it.
_MULTIPLY = text("""
    WITH further AS (
        SELECT handed_in AS row, looked.number, placed.key, placed.size, placed.etag,
            placed.version_id,
            CAST(substr(CAST(placed.id AS text), 1, 19)
                || substr(CAST(gen_random_uuid() AS text), 20) AS uuid) AS own_id
        FROM handed_in JOIN placed USING (id) JOIN looked USING (key)
        WHERE handed_in.numbered_by = 'field' AND looked.place > 1
    ), beside AS (
        INSERT INTO placed SELECT own_id, key, size, etag, version_id FROM further
    )
    INSERT INTO handed_in
    SELECT made.*
    FROM further CROSS JOIN LATERAL jsonb_populate_record(further.row, jsonb_build_object(
        'id', own_id, 'object_number', number)) made
""")

_NUMBERLESS = text("""
    UPDATE handed_in SET code = 'no_object_number',
        sentence = format('The file "%s" has no object number%s', filename, CAST(:tried AS text))
    FROM placed
    WHERE placed.id = handed_in.id AND code IS NULL AND object_number IS NULL AND placed.size > 0
""")


@dataclass(frozen=True)
class Glance:
    """What came of looking at one picture."""

    key: str
    numbers: tuple[str, ...] = ()
    code: str | None = None
    sentence: str | None = None


def look(session: Session, place: Place, store: Readable, *, tell: Tell = to_nobody) -> int:
    """Look at every picture that is new, and note in the rows what is wrong or what it tells.

    Returns how many rows were added for further objects in one picture. Needs the memory of some
    hundred pictures, whatever their number; after each thousand ``tell`` is called.

    Raises:
        UnavailableError: the store does not answer.
    """
    for statement in ("DROP TABLE IF EXISTS pg_temp.looked", _LOOKED):
        session.execute(text(statement))
    _fill(session, place, store, tell)
    session.execute(text("ANALYZE looked"))
    session.execute(_REFUSE)
    field = place.numbering.field
    return _number(session, _tried(place, field)) if field else 0


def _number(session: Session, tried: str) -> int:
    session.execute(_NUMBER)
    added = cast("CursorResult[Any]", session.execute(_MULTIPLY)).rowcount
    session.execute(_NUMBERLESS, {"tried": tried})
    return added


def _fill(session: Session, place: Place, store: Readable, tell: Tell) -> None:
    asked = {"collection_id": place.collection_id, "is_numbered": place.numbering.field is not None}
    total = session.scalar(_HOW_MANY, asked) or 0
    unseen = _unseen(session, place, asked)
    field = place.numbering.field
    count = 0
    with Confined(_MODULE) as child, ThreadPoolExecutor(_AT_ONCE) as pool:
        examine = partial(_glance, store, child, field.name if field else None)
        while group := list(islice(unseen, _GROUP)):
            glances = list(pool.map(examine, group))
            copy_rows(session, _COPY, (row for glance in glances for row in _rows(glance)))
            count += len(group)
            tell(count, total)


def _unseen(session: Session, place: Place, asked: dict[str, Any]) -> Iterator[ObjectVersion]:
    found = session.execute(_UNSEEN, asked, execution_options={"yield_per": _GROUP})
    for row in found:
        yield ObjectVersion(place.bucket, row.key, row.size, row.etag, row.version_id)


def _rows(glance: Glance) -> Iterator[tuple[Any, ...]]:
    if glance.code:
        yield (glance.key, None, None, glance.code, glance.sentence)
    for place, number in enumerate(glance.numbers, start=1):
        yield (glance.key, place, number, None, None)


def _glance(store: Readable, child: Confined, field: str | None, picture: ObjectVersion) -> Glance:
    settings = get_settings()
    try:
        require_bytes(picture.size, max_bytes=settings.max_image_bytes)
        size, values = _header(store, child, field, picture)
        if size:
            require_size(*size, max_pixels=settings.max_image_pixels)
    except RefusedImageError as error:
        return Glance(picture.key, code="unreadable", sentence=_sentence(error))
    return _numbered(picture.key, field, values)


def _sentence(error: RefusedImageError) -> str:
    if isinstance(error, MissingObjectError | SourceChangedError):
        return "The file was replaced or removed while it was handed in. Hand in again."
    return str(error)


def _numbered(key: str, field: str | None, values: list[str]) -> Glance:
    if len(values) > MAX_NUMBERS:
        sentence = f"The picture names {len(values):,} objects in {field}; at most {MAX_NUMBERS}."
        return Glance(key, code="too_many_objects", sentence=sentence)
    numbers = []
    for value in values:
        try:
            require_readable(value)
            numbers.append(line(value))
        except CellError as error:
            sentence = f'{field} of the picture, "{shown(value)}", {error}.'
            return Glance(key, code=error.code, sentence=sentence)
    return Glance(key, numbers=tuple(dict.fromkeys(filter(None, numbers))))


def _header(
    store: Readable, child: Confined, field: str | None, picture: ObjectVersion
) -> tuple[tuple[int, int] | None, list[str]]:
    """Return the size and the values of the field, as far as so many pieces tell them."""
    pieces = [(0, store.read_piece(picture, 0, min(_FIRST, picture.size)))]
    while True:
        told = _told(child, picture, field, pieces)
        much = sum(len(piece) for _, piece in pieces)
        if told["more"] is None or len(pieces) >= _MOST_PIECES or much >= _MOST_BYTES:
            return told["size"], told["values"]
        start, length = told["more"]
        length = min(max(length, _LEAST), picture.size - start)
        pieces.append((start, store.read_piece(picture, start, length)))


def _told(
    child: Confined, picture: ObjectVersion, field: str | None, pieces: list[tuple[int, bytes]]
) -> dict[str, Any]:
    """Return what the confined process reads in these pieces; what ends it twice is refused."""
    head = {"size": picture.size, "starts": [start for start, _ in pieces], "field": field}
    for _ in range(2):
        try:
            answer, _ = child.ask(head, *(piece for _, piece in pieces), seconds=_SECONDS)
        except (DiedError, MemoryError, TimeoutError):
            continue
        except DefectError as error:
            log.exception("header_defect", key=picture.key, error=str(error))
            return {"size": None, "values": [], "more": None}
        if "refused" in answer:
            raise RefusedImageError(*answer["refused"])
        return answer
    sentence = "The header of the file makes its reader crash. Export the picture again."
    raise RefusedImageError("crashed", sentence)


def _tried(place: Place, field: Field) -> str:
    """Say where a number was looked for, and what to do."""
    tried = (
        "its row gives none" if place.has_manifest else "",
        f"the picture has nothing in {field.name}",
        "its name does not fit the pattern" if place.numbering.pattern else "",
    )
    return (
        f": {', '.join(filter(None, tried))}."
        " Write it into the picture or a manifest, and hand in again."
    )
