"""Approved wordings as CSV that a person can open in a spreadsheet: the ``generic`` profile.

RFC 4180 in UTF-8 without a byte order mark, one row for each entry, the header in `COLUMNS`.

A spreadsheet would run a value that begins like a formula, so such a value gets an
apostrophe in front. To read a value back, take one apostrophe away where a value begins with
apostrophes followed by one of ``= + - @``, their full-width forms, a tab or a line break.
``text_sha256`` is of the text without that apostrophe.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Iterable

from predella.formats import disclosure
from predella.formats.entry import CatalogEntry, stamp

_VALUES: dict[str, Callable[[CatalogEntry], object]] = {
    "record_id": lambda entry: entry.record_id,
    "collection": lambda entry: entry.collection,
    "object_number": lambda entry: entry.object.number,
    "title": lambda entry: entry.object.title,
    "artist": lambda entry: entry.object.artist,
    "artist_uri": lambda entry: entry.object.artist_uri,
    "date": lambda entry: entry.object.date,
    "medium": lambda entry: entry.object.medium,
    "dimensions": lambda entry: entry.object.dimensions,
    "object_uri": lambda entry: entry.object.object_uri,
    "credit_line": lambda entry: entry.object.credit_line,
    "rights_work": lambda entry: entry.object.rights_work,
    "kind": lambda entry: entry.wording.kind,
    "language": lambda entry: entry.wording.language,
    "text": lambda entry: entry.wording.text,
    "disclosure": disclosure.sentence,
    "human_involvement": lambda entry: entry.approval.human_involvement,
    "digital_source_type": disclosure.source_type,
    "reviewer": lambda entry: entry.approval.reviewer,
    "decided_at": lambda entry: stamp(entry.approval.decided_at),
    "institution": lambda entry: entry.institution.name,
    "institution_uri": lambda entry: entry.institution.uri,
    "revision_id": lambda entry: entry.wording.revision_id,
    "revision_number": lambda entry: entry.wording.number,
    "text_sha256": lambda entry: entry.wording.sha256,
    "text_rights": lambda entry: entry.wording.rights,
    "model": lambda entry: entry.release.name,
    "notice": lambda entry: entry.release.notice,
    "release_digest": lambda entry: entry.release.digest,
    "weights_sha256": lambda entry: entry.release.weights_sha256,
    "adapter_sha256": lambda entry: entry.release.adapter_sha256,
    "prompt_id": lambda entry: entry.release.prompt_id,
    "code_version": lambda entry: entry.release.code_version,
    "generated_at": lambda entry: stamp(entry.generated_at),
    "image_key": lambda entry: entry.image.key,
    "image_sha256": lambda entry: entry.image.sha256,
    "image_width": lambda entry: entry.image.width,
    "image_height": lambda entry: entry.image.height,
    "extra": lambda entry: json.dumps(dict(entry.object.extra), ensure_ascii=False),
}

COLUMNS = tuple(_VALUES)
"""``extra`` holds the manifest's own columns as one JSON object."""

_FORMULA = re.compile("'*[=+\\-@\uff1d\uff0b\uff0d\uff20\t\r\n]")


def row(values: Iterable[object]) -> bytes:
    """Return one line of CSV that no spreadsheet takes for a formula."""
    out = io.StringIO()
    csv.writer(out).writerow(map(_safe, values))
    return out.getvalue().encode()


def _safe(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if _FORMULA.match(text) else text


MEDIA_TYPE = "text/csv; charset=utf-8; header=present"
SUFFIX = ".csv"
BEGIN = row(COLUMNS)
END = b""


def encode(entry: CatalogEntry) -> bytes:
    """Return the entry's row."""
    return row(value(entry) for value in _VALUES.values())
