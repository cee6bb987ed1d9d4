"""Approved wordings as Linked Art 1.0: a tar archive with records of objects and of texts.

The object's record has each wording as a statement with its provenance in a note; each text's
own record says in structured form how it was made and approved. Of a text that was withdrawn,
the record stays, without it. The documentation of Linked
Art would put both on the statement, but its own JSON Schema refuses that, and so we keep to the
form that both accept. Software is no actor there: it is the technique of the creation.

A formal analysis has no term of its own in the AAT that we know of, so it is a description; a
museum that has a term for it gives that beside the two.
"""

from typing import Any

from predella.formats import addresses, disclosure, folder
from predella.formats.bundle import Bundle, Unit
from predella.formats.document import encoded, filled
from predella.formats.entry import (
    CatalogEntry,
    CatalogImage,
    CatalogTombstone,
    Departing,
    TextKind,
    object_id,
    stamp,
    text_name,
)

MEDIA_TYPE = folder.MEDIA_TYPE
SUFFIX = folder.SUFFIX
BEGIN = folder.BEGIN
SEPARATOR = folder.SEPARATOR
END = folder.END
UNIT = Unit.OBJECT
KINDS = frozenset(TextKind)
ADDRESSED = True
WITHDRAWS = True

CONTEXT = "https://linked.art/ns/v1/linked-art.json"
_AAT = "http://vocab.getty.edu/aat/"
_ENGLISH = f"{_AAT}300388277"
_LANGUAGES = "http://id.loc.gov/vocabulary/iso639-1/"
_Json = dict[str, Any]


def encode(bundle: Bundle) -> bytes:
    """Return the record of an object, and one of each of its texts."""
    members = [
        _member(bundle.about, "object", of_object(bundle)),
        *(_member(entry, text_name(entry), of_text(entry)) for entry in bundle.entries),
        *(_member(gone, text_name(gone), of_withdrawn(gone)) for gone in bundle.tombstones),
    ]
    return b"".join(members)


def of_object(bundle: Bundle) -> _Json:
    """Return the record of the object, with the wordings in it."""
    line, thing = bundle.about, bundle.about.object
    title = [_name(thing.title, "300404670", "Primary Name")] if thing.title else []
    number = {
        "type": "Identifier",
        "content": thing.number,
        "classified_as": [_type(f"{_AAT}300312355", "Accession Number")],
    }
    # The schema asks for content, and an empty wording has none to give.
    statements = [_statement(entry) for entry in bundle.entries if entry.wording.text]
    credit = [_note(thing.credit_line)] if thing.credit_line else []
    return {
        "@context": CONTEXT,
        "id": addresses.thing(line),
        "type": "HumanMadeObject",
        "_label": thing.title or thing.number,
        "classified_as": [_type(f"{_AAT}300133025", "Artwork")],
        "identified_by": [*title, number],
        **filled({"referred_to_by": [*statements, *credit], "representation": _shown(line.image)}),
    }


def _statement(entry: CatalogEntry) -> _Json:
    return {
        "type": "LinguisticObject",
        "content": entry.wording.text,
        "format": "text/plain",
        "language": [_language(entry.language)],
        "classified_as": _classes(entry),
        "identified_by": [_name(_title(entry), "300404669", "Display Name")],
        "referred_to_by": [_note(disclosure.sentence(entry))],
    }


def of_text(entry: CatalogEntry) -> _Json:
    """Return the record of the wording: what it says, how it was made, who approved it."""
    return filled(
        _text(entry)
        | {
            "content": entry.wording.text,
            "format": "text/plain",
            "subject_to": _rights(entry.wording.rights),
            "referred_to_by": [_note(disclosure.sentence(entry))],
            "created_by": _creation(entry),
            "used_for": [_approval(entry)],
        }
    )


def of_withdrawn(tombstone: CatalogTombstone) -> _Json:
    """Return the record of a wording that was withdrawn; a note says since when."""
    return _text(tombstone) | {"referred_to_by": [_note(disclosure.withdrawal(tombstone))]}


def _shown(image: CatalogImage) -> list[_Json]:
    """Return how the object looks, where an image service shows it."""
    if not image.iiif:
        return []
    service = {
        "type": "DigitalService",
        "access_point": [{"id": image.iiif, "type": "DigitalObject"}],
        "conforms_to": [{"id": "http://iiif.io/api/image", "type": "InformationObject"}],
    }
    picture = {
        "type": "DigitalObject",
        "classified_as": [_type(f"{_AAT}300215302", "Digital Image")],
        "format": "image/jpeg",
        "access_point": [{"id": f"{image.iiif}/full/max/0/default.jpg", "type": "DigitalObject"}],
        "digitally_available_via": [service],
    }
    return [{"type": "VisualItem", "digitally_shown_by": [picture]}]


def _text(line: Departing) -> _Json:
    return {
        "@context": CONTEXT,
        "id": addresses.text(line),
        "type": "LinguisticObject",
        "_label": f"{_title(line)}: {line.object.number}",
        "classified_as": _classes(line),
        "language": [_language(line.language)],
        "about": [
            {
                "id": addresses.thing(line),
                "type": "HumanMadeObject",
                "_label": line.object.title or line.object.number,
            }
        ],
    }


def _creation(entry: CatalogEntry) -> _Json:
    institution = entry.institution
    return {
        "type": "Creation",
        "timespan": _span(stamp(entry.generated_at)),
        "technique": [
            _type(f"{_AAT}300456842", "Artificial Intelligence"),
            _type(addresses.release(entry), f"{entry.release.name}, {entry.release.digest}"),
        ],
        "carried_out_by": [
            {"id": addresses.institution(entry), "type": "Group", "_label": institution.name}
        ],
    }


def _approval(entry: CatalogEntry) -> _Json:
    reviewer = entry.approval.reviewer
    return {
        "type": "Activity",
        "_label": disclosure.phrases(entry).approval,
        "timespan": _span(stamp(entry.approval.decided_at)),
        "carried_out_by": [
            {
                "id": addresses.below(entry, "reviewers", reviewer),
                "type": "Person",
                "_label": reviewer,
            }
        ],
    }


def _title(line: Departing) -> str:
    return disclosure.phrases(line).kinds[line.kind]


def _classes(line: Departing) -> list[_Json]:
    brief = [_type(f"{_AAT}300418049", "Brief Text")]
    own = line.wording.concept if isinstance(line, CatalogEntry) else None
    return [
        _type(f"{_AAT}300435416", "Description") | {"classified_as": brief},
        _type(f"{_AAT}300456841", "AI Generated Content"),
        *([_type(own, _title(line))] if own else []),
    ]


def _rights(uri: str | None) -> list[_Json]:
    return [{"type": "Right", "classified_as": [_type(uri, uri)]}] if uri else []


def _language(code: str) -> _Json:
    primary = code.partition("-")[0]
    uri = _ENGLISH if primary == "en" else f"{_LANGUAGES}{primary}"
    return {"id": uri, "type": "Language", "_label": code}


def _name(content: str, number: str, label: str) -> _Json:
    return {"type": "Name", "content": content, "classified_as": [_type(f"{_AAT}{number}", label)]}


def _note(content: str) -> _Json:
    return {
        "type": "LinguisticObject",
        "content": content,
        "classified_as": [_type(f"{_AAT}300027200", "Note")],
    }


def _type(uri: str, label: str) -> _Json:
    return {"id": uri, "type": "Type", "_label": label}


def _span(moment: str) -> _Json:
    return {"type": "TimeSpan", "begin_of_the_begin": moment, "end_of_the_end": moment}


def _member(line: Departing, what: str, record: _Json) -> bytes:
    return folder.member(f"{addresses.escaped(object_id(line))}/{what}.json", encoded(record))
