"""Approved wordings as JSON Lines: everything we know, one object a line.

Every key is always there; what is not known is null. Text is plain UTF-8. A withdrawn record
has no wording: ``withdrawn_at`` says since when.
"""

import json
from dataclasses import asdict
from typing import Any

from predella.formats import disclosure
from predella.formats.bundle import Bundle, Unit
from predella.formats.entry import CatalogEntry, CatalogTombstone, Departing, TextKind, stamp

MEDIA_TYPE = "application/jsonl"
SUFFIX = ".jsonl"
BEGIN = b""
SEPARATOR = b""
END = b""
UNIT = Unit.TEXT
KINDS = frozenset(TextKind)
ADDRESSED = False
WITHDRAWS = True

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def encode(bundle: Bundle) -> bytes:
    """Return the line of a text, or the one that withdraws it."""
    line = bundle.about
    of_one = _of_entry(line) if isinstance(line, CatalogEntry) else _of_tombstone(line)
    return _ENCODER.encode(_of_both(line) | of_one).encode() + b"\n"


def _of_entry(entry: CatalogEntry) -> dict[str, Any]:
    return {
        "wording": asdict(entry.wording) | {"revision_id": str(entry.wording.revision_id)},
        "disclosure": {
            "text": disclosure.sentence(entry),
            "language": disclosure.language(entry),
            "human_involvement": entry.approval.human_involvement,
            "digital_source_type": disclosure.source_type(entry),
        },
        "review": {
            "decision": entry.approval.decision,
            "reviewer": entry.approval.reviewer,
            "decided_at": stamp(entry.approval.decided_at),
        },
        "release": asdict(entry.release),
        "generated_at": stamp(entry.generated_at),
        "run_id": str(entry.run_id) if entry.run_id else None,
        "withdrawn_at": None,
    }


def _of_tombstone(tombstone: CatalogTombstone) -> dict[str, Any]:
    return {
        "withdrawn": {
            "revision_id": str(tombstone.revision_id),
            "kind": tombstone.kind,
            "language": tombstone.language,
            "prompt_id": tombstone.prompt_id,
        },
        "disclosure": {
            "text": disclosure.withdrawal(tombstone),
            "language": disclosure.language(tombstone),
        },
        "withdrawn_at": stamp(tombstone.withdrawn_at),
    }


def _of_both(line: Departing) -> dict[str, Any]:
    return {
        "record_id": line.record_id,
        "collection": line.collection,
        "object": asdict(line.object),
        "image": asdict(line.image),
        "institution": asdict(line.institution),
    }
