"""Every row of a hand-in is accepted or refused, in SQL, and told why in words.

What the store has and what the team wrote are compared as two tables (see `staging`), so that
a hundred thousand rows cost one join and not a hundred thousand questions.
"""

import hashlib
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import CursorResult, TextClause, text
from sqlalchemy.orm import Session

from predella.formats.manifest import Numbering
from predella.ids import CollectionId, SubmissionId
from predella.services.staging import comparable

HARMLESS = ("already_submitted", "file_without_row")
"""Codes of what is told but needs nobody to do anything."""


@dataclass(frozen=True)
class Place:
    """Where a hand-in belongs, and where its files are looked for."""

    submission_id: SubmissionId
    collection_id: CollectionId
    bucket: str
    prefix: str
    """Of the collection."""
    folder: str
    """Of the manifest; its files are looked for there first, then below the prefix."""
    language: str
    """For rows that name none."""
    prompt_id: str
    """What the collection asks about its pictures today."""
    preview: int | None
    """How many objects go first."""
    numbering: Numbering
    """Where the object numbers come from that no row tells."""
    has_manifest: bool
    one_each: bool
    """Neither a manifest nor a numbering: one file for one object number."""

    @property
    def described(self) -> str:
        """The places in words."""
        places = dict.fromkeys((self.folder, self.prefix))
        return " or ".join(f"s3://{self.bucket}/{place}" for place in places)


_PLACED = text("""
    CREATE TEMPORARY TABLE placed (
        id uuid, key text, size bigint, etag text, version_id text
    ) ON COMMIT DROP
""")

_PLACE = text("""
    INSERT INTO placed
    SELECT handed_in.id, coalesce(beside.key, below.key), coalesce(beside.size, below.size),
        coalesce(beside.etag, below.etag), coalesce(beside.version_id, below.version_id)
    FROM handed_in
    LEFT JOIN found beside ON beside.key = :folder || handed_in.filename
    LEFT JOIN found below ON below.key = :prefix || handed_in.filename
""")

_JUDGED = text("""
    CREATE TEMPORARY TABLE judged (
        id uuid, key text, size bigint, etag text, version_id text, is_primary boolean,
        code text, first_row integer, first_file text, earlier_id uuid, earlier_at timestamptz
    ) ON COMMIT DROP
""")

# The first fault of a row counts, from the most basic on. Of two files for one object number
# the derivative is taken and the master left alone.
_JUDGE = text("""
    INSERT INTO judged
    WITH compared AS (
        SELECT handed_in.*, placed.key, placed.size, placed.etag AS object_etag,
            placed.version_id, first_value(row_number) OVER same AS first_row,
            first_value(filename) OVER same AS first_file
        FROM handed_in JOIN placed USING (id)
        WINDOW same AS (
            PARTITION BY object_number, CASE WHEN NOT :one_each THEN key END
            ORDER BY code IS NOT NULL, key ~* '[.](tiff?|jp[2xf]|j2[kc])$', row_number
        )
    ), coded AS (
        SELECT compared.*, CASE
            WHEN code IS NOT NULL THEN code
            WHEN key IS NULL THEN 'missing_file'
            WHEN first_row <> row_number AND :one_each THEN 'second_file'
            WHEN first_row <> row_number THEN 'duplicate_row'
            WHEN size = 0 THEN 'empty_file'
            WHEN etag <> object_etag THEN 'checksum_mismatch'
            WHEN object_etag ~ '^[0-9a-f]{32}$' AND encode(md5, 'hex') <> object_etag
                THEN 'checksum_mismatch'
        END AS verdict
        FROM compared
    ), ranked AS (
        SELECT coded.*, verdict IS NULL AND "primary" IS NOT FALSE AND 1 = row_number()
            OVER (
                PARTITION BY object_number, verdict IS NULL
                ORDER BY "primary" IS TRUE DESC, "primary" IS FALSE,
                    coalesce(view, 'front') <> 'front', sequence NULLS LAST, row_number
            ) AS chosen
        FROM coded
    )
    SELECT ranked.id, ranked.key, ranked.size, object_etag, ranked.version_id, chosen,
        CASE WHEN verdict IS NULL AND same THEN 'already_submitted' ELSE verdict END,
        first_row, first_file, earlier.submission_id, earlier.created_at
    FROM ranked LEFT JOIN LATERAL (
        SELECT item.submission_id, item.created_at,
            item.etag = object_etag
            AND (ranked.sha256 IS NULL OR item.sha256 = ranked.sha256)
            AND (item.version_id, item.is_primary, item.view, item.sequence, item.title,
                item.artist, item.artist_uri, item.date, item.medium, item.dimensions,
                item.object_uri, item.language, item.rights_work, item.rights_image,
                item.iiif_image, item.credit_line, item.sensitivity, item.sensitivity_note,
                item.labels, item.ai_processing, item.exportable, item.embargo_until, item.notes,
                item.extra, item.prompt_id)
            IS NOT DISTINCT FROM
                (ranked.version_id, chosen, ranked.view, ranked.sequence, ranked.title,
                ranked.artist, ranked.artist_uri, ranked.date, ranked.medium, ranked.dimensions,
                ranked.object_uri, coalesce(ranked.language, :language), ranked.rights_work,
                ranked.rights_image, ranked.iiif_image, ranked.credit_line, ranked.sensitivity,
                ranked.sensitivity_note, ranked.labels, ranked.ai_processing, ranked.export,
                ranked.embargo_until, ranked.notes, ranked.extra, :prompt_id)
            AS same
        FROM item
        WHERE verdict IS NULL AND item.collection_id = :collection_id
            AND item.object_number = ranked.object_number AND item.key = ranked.key
            AND NOT item.is_withdrawn
        ORDER BY item.id DESC LIMIT 1
    ) earlier ON true
""")

_VERSIONS = text("""
    SELECT DISTINCT key COLLATE "C", size, etag, version_id FROM placed
    WHERE key IS NOT NULL ORDER BY 1
""")

_ACCEPT = text("""
    INSERT INTO item (
        id, created_at, submission_id, collection_id, row_number, object_number, title, artist,
        artist_uri, date, medium, dimensions, object_uri, view, sequence, is_primary, language,
        rights_work, rights_image, iiif_image, credit_line, sensitivity, sensitivity_note, labels,
        ai_processing, exportable, embargo_until, notes, extra, bucket, key, size, etag,
        version_id, sha256, prompt_id, stage, state, priority, attempt, next_attempt_at,
        is_open, is_beside_closed, is_withdrawn, is_held
    )
    SELECT id, now(), :submission_id, :collection_id, row_number, handed_in.object_number,
        title, artist, artist_uri, date, medium, dimensions, object_uri, view, sequence, is_primary,
        coalesce(language, :language), handed_in.rights_work, rights_image, iiif_image,
        credit_line, handed_in.sensitivity, handed_in.sensitivity_note, labels,
        handed_in.ai_processing, export, handed_in.embargo_until, notes, extra, :bucket, key, size,
        judged.etag, version_id, sha256, :prompt_id, 'prepare', 'waiting', 5, 0, now(),
        gate.is_open, false, false,
        CAST(:preview AS integer) IS NOT NULL
            AND NOT EXISTS (SELECT FROM previewed
                WHERE previewed.object_number = handed_in.object_number)
    FROM handed_in JOIN judged USING (id)
    JOIN object_gate gate ON gate.collection_id = :collection_id
        AND gate.object_number = handed_in.object_number
    WHERE judged.code IS NULL
    ORDER BY id
    FOR KEY SHARE OF gate
""")

# A guess at what was meant: the same path but for case and extension, else the only picture
# of that name in another folder.
_REFUSE = text("""
    WITH alike AS (
        SELECT path, min(key) AS key FROM found WHERE is_picture GROUP BY path
    ), elsewhere AS (
        SELECT substring(path from '[^/]*$') AS name, min(key) AS key FROM found
        WHERE is_picture GROUP BY 1 HAVING count(*) = 1
    ), refused AS (
        SELECT handed_in.id, row_number, object_number, filename, judged.code, first_row,
            first_file, sentence, judged.etag, earlier_id, earlier_at,
            coalesce(alike.key, alike_below.key, elsewhere.key) AS guess
        FROM handed_in JOIN judged USING (id)
        LEFT JOIN alike ON judged.code = 'missing_file'
            AND alike.path = :folder_path || handed_in.path
        LEFT JOIN alike alike_below ON judged.code = 'missing_file'
            AND alike_below.path = :prefix_path || handed_in.path
        LEFT JOIN elsewhere ON judged.code = 'missing_file'
            AND elsewhere.name = substring(handed_in.path from '[^/]*$')
        WHERE judged.code IS NOT NULL
    )
    INSERT INTO refusal
        (id, created_at, submission_id, row_number, object_number, filename, code, sentence)
    SELECT id, now(), :submission_id, row_number, object_number, filename, code, CASE code
        WHEN 'missing_file' THEN format('There is no file "%s" in %s%s', filename,
            CAST(:described AS text),
            coalesce('; did you mean "' || substr(guess,
                CASE WHEN starts_with(guess, :folder) THEN :folder_skip ELSE :skip END) || '"?',
                '.'))
        WHEN 'second_file' THEN format('Object number %s was taken from another file of this name'
            ' (%s); hand in a manifest to submit several views of one object.',
            object_number, first_file)
        WHEN 'duplicate_row' THEN format('Row %s has the same object number and file.', first_row)
        WHEN 'empty_file' THEN format('The file "%s" is empty; upload it again.', filename)
        WHEN 'checksum_mismatch' THEN format('The file "%s" is not the one that the manifest'
            ' describes: the store gives its ETag as %s. Upload the file again, or correct the'
            ' row.', filename, etag)
        WHEN 'already_submitted' THEN format('The same file was handed in with the same words on'
            ' %s, in submission %s.', to_char(earlier_at, 'YYYY-MM-DD'), earlier_id)
        ELSE sentence END
    FROM refused
""")

# Pictures that lie beside those of the manifest and were never handed in.
_LEFT_OVER = text("""
    INSERT INTO refusal (id, created_at, submission_id, row_number, filename, code, sentence)
    SELECT found.id, now(), :submission_id, 0, substr(found.key, :skip), 'file_without_row',
        'No row of the manifest names this file.'
    FROM found
    WHERE is_picture
        AND folder IN (SELECT named.folder FROM found named JOIN judged USING (key))
        AND NOT EXISTS (SELECT FROM judged WHERE judged.key = found.key)
        AND NOT EXISTS (
            SELECT FROM item
            WHERE item.collection_id = :collection_id AND item.key = found.key
        )
""")


def find(session: Session, place: Place) -> None:
    """Look for the file of every row in what the store has."""
    session.execute(text("DROP TABLE IF EXISTS pg_temp.placed"))
    session.execute(_PLACED)
    session.execute(_PLACE, vars(place))
    session.execute(text("ANALYZE placed"))


def judge(session: Session, place: Place) -> None:
    """Compare what was handed in with what the store has, row by row."""
    session.execute(text("DROP TABLE IF EXISTS pg_temp.judged"))
    session.execute(_JUDGED)
    session.execute(_JUDGE, vars(place))
    session.execute(text("ANALYZE judged"))


def digest(session: Session, place: Place, manifest_sha256: bytes) -> bytes:
    """Return a digest of everything handed in, and of what is asked about it.

    That is the manifest's bytes, the files' versions, where object numbers come from, and the
    language of rows that name none.
    """
    pattern, field = place.numbering.pattern or "", place.numbering.field
    asked = f"{place.prompt_id}{pattern}\n{place.language}" + (f"\0{field.name}" if field else "")
    total = hashlib.sha256(manifest_sha256 + asked.encode())
    for version in session.execute(_VERSIONS, execution_options={"yield_per": 5_000}):
        total.update(repr(tuple(version)).encode())
    return total.digest()


def accept(session: Session, place: Place) -> int:
    """Make an item of every accepted row; return how many."""
    return _count(session, _ACCEPT, vars(place))


def refuse(session: Session, place: Place) -> int:
    """Write down why each other row was refused; return how many."""
    names = {
        "described": place.described,
        "folder_path": comparable(place.folder),
        "prefix_path": comparable(place.prefix),
        "skip": len(place.prefix) + 1,
        "folder_skip": len(place.folder) + 1,
    }
    refused = _count(session, _REFUSE, vars(place) | names)
    if not place.one_each:
        session.execute(_LEFT_OVER, vars(place) | names)
    return refused


def _count(session: Session, statement: TextClause, values: dict[str, Any]) -> int:
    result = cast("CursorResult[Any]", session.execute(statement, values))
    return result.rowcount
