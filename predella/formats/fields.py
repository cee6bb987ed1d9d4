"""What a column of a CSV profile can hold, by name."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeAlias

from predella.formats import disclosure
from predella.formats.entry import CatalogEntry, CatalogTombstone, Departing

Value: TypeAlias = str | int | datetime | None

_OF_OBJECT: Mapping[str, Callable[[Departing], Value]] = {
    "collection": lambda line: line.collection,
    "object_number": lambda line: line.object.number,
    "title": lambda line: line.object.title,
    "artist": lambda line: line.object.artist,
    "artist_uri": lambda line: line.object.artist_uri,
    "date": lambda line: line.object.date,
    "medium": lambda line: line.object.medium,
    "dimensions": lambda line: line.object.dimensions,
    "object_uri": lambda line: line.object.object_uri,
    "credit_line": lambda line: line.object.credit_line,
    "rights_work": lambda line: line.object.rights_work,
    "institution": lambda line: line.institution.name,
    "institution_uri": lambda line: line.institution.uri,
    "extra": lambda line: json.dumps(dict(line.object.extra), ensure_ascii=False),
}
_OF_BOTH: Mapping[str, Callable[[Departing], Value]] = {
    **_OF_OBJECT,
    "record_id": lambda line: line.record_id,
    "image_key": lambda line: line.image.key,
    "image_sha256": lambda line: line.image.sha256,
    "image_width": lambda line: line.image.width,
    "image_height": lambda line: line.image.height,
    "image_view": lambda line: line.image.view,
    "rights_image": lambda line: line.image.rights,
    "kind": lambda line: line.kind,
    "language": lambda line: line.language,
    "disclosure": disclosure.said,
    "revision_id": lambda line: str(line.revision_id),
    "prompt_id": lambda line: line.prompt_id,
    "iiif_image": lambda line: line.image.iiif,
}
_OF_ENTRY: Mapping[str, Callable[[CatalogEntry], Value]] = {
    "text": lambda entry: entry.wording.text,
    "human_involvement": lambda entry: entry.approval.human_involvement,
    "digital_source_type": disclosure.source_type,
    "reviewer": lambda entry: entry.approval.reviewer,
    "decided_at": lambda entry: entry.approval.decided_at,
    "decision": lambda entry: entry.approval.decision,
    "revision_number": lambda entry: entry.wording.number,
    "text_sha256": lambda entry: entry.wording.sha256,
    "text_rights": lambda entry: entry.wording.rights,
    "text_concept": lambda entry: entry.wording.concept,
    "model": lambda entry: entry.release.name,
    "base_model": lambda entry: entry.release.base_model,
    "notice": lambda entry: entry.release.notice,
    "release_digest": lambda entry: entry.release.digest,
    "weights_sha256": lambda entry: entry.release.weights_sha256,
    "adapter_sha256": lambda entry: entry.release.adapter_sha256,
    "code_version": lambda entry: entry.release.code_version,
    "generated_at": lambda entry: entry.generated_at,
    "run_id": lambda entry: str(entry.run_id) if entry.run_id else None,
    "status": lambda _entry: "current",
    "withdrawn_at": lambda _entry: None,
}
_OF_TOMBSTONE: Mapping[str, Callable[[CatalogTombstone], Value]] = {
    "text": disclosure.withdrawal,
    "status": lambda _tombstone: "withdrawn",
    "withdrawn_at": lambda tombstone: tombstone.withdrawn_at,
}

FIELDS = (*_OF_BOTH, *_OF_ENTRY)
"""``text`` of a withdrawn record is a sentence that says so; ``extra`` is one JSON object."""
OF_OBJECT = frozenset(_OF_OBJECT)
"""What is the same of every text of an object."""
PROSE = frozenset({"text", "disclosure"})


def value(line: Departing, name: str) -> Value:
    """Return what the field holds; None where there is nothing to say."""
    if name in _OF_BOTH:
        return _OF_BOTH[name](line)
    if isinstance(line, CatalogEntry):
        return _OF_ENTRY[name](line)
    said = _OF_TOMBSTONE.get(name)
    return said(line) if said else None
