"""Approved wordings as JSON Lines: everything we know, one object a line.

Every key is always there; what is not known is null. Text is plain UTF-8.
"""

import json
from dataclasses import asdict
from typing import Any

from predella.formats import disclosure
from predella.formats.entry import CatalogEntry, stamp

MEDIA_TYPE = "application/jsonl"
SUFFIX = ".jsonl"
BEGIN = b""
END = b""

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def encode(entry: CatalogEntry) -> bytes:
    """Return the entry's line."""
    return _ENCODER.encode(_document(entry)).encode() + b"\n"


def _document(entry: CatalogEntry) -> dict[str, Any]:
    return {
        "record_id": entry.record_id,
        "collection": entry.collection,
        "object": asdict(entry.object),
        "wording": asdict(entry.wording) | {"revision_id": str(entry.wording.revision_id)},
        "disclosure": {
            "text": disclosure.sentence(entry),
            "language": disclosure.LANGUAGE,
            "human_involvement": entry.approval.human_involvement,
            "digital_source_type": disclosure.source_type(entry),
        },
        "review": {
            "reviewer": entry.approval.reviewer,
            "decided_at": stamp(entry.approval.decided_at),
        },
        "release": asdict(entry.release),
        "image": asdict(entry.image),
        "institution": asdict(entry.institution),
        "generated_at": stamp(entry.generated_at),
    }
