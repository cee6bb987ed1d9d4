"""Approved wordings as IIIF Presentation 3: a tar archive with one manifest for each.

The wording is a W3C annotation that describes the canvas: its creator is who approved it, its
generator the software. The disclosure is what a viewer has to show (``requiredStatement``).
"""

from typing import Any

from predella.formats import addresses, disclosure, folder
from predella.formats.document import encoded, filled
from predella.formats.entry import CatalogEntry, CatalogTombstone, Departing, TextKind, stamp

MEDIA_TYPE = folder.MEDIA_TYPE
SUFFIX = folder.SUFFIX
BEGIN = folder.BEGIN
SEPARATOR = folder.SEPARATOR
END = folder.END
KINDS = frozenset(TextKind)
ADDRESSED = True
WITHDRAWS = True

ANNOTATIONS = "http://www.w3.org/ns/anno.jsonld"
PRESENTATION = "http://iiif.io/api/presentation/3/context.json"
_NO_LANGUAGE = "none"
_Json = dict[str, Any]


def encode(entry: CatalogEntry) -> bytes:
    """Return the entry's manifest."""
    return _member(entry, manifest(entry))


def bury(tombstone: CatalogTombstone) -> bytes:
    """Return the manifest without the text; a sentence says since when it is gone."""
    said = disclosure.withdrawal(tombstone)
    return _member(tombstone, _manifest(tombstone, said, None))


def manifest(entry: CatalogEntry) -> _Json:
    """Return the manifest with the wording in it."""
    return _manifest(entry, disclosure.sentence(entry), annotation(entry))


def annotation(entry: CatalogEntry) -> _Json:
    """Return the wording as a W3C annotation of its picture; its context is the manifest's."""
    wording, approval = entry.wording, entry.approval
    reviewer = addresses.below(entry, "reviewers", approval.reviewer)
    software = f"{entry.release.name}, {entry.release.digest}"
    return filled(
        {
            "id": addresses.text(entry),
            "type": "Annotation",
            "motivation": "describing",
            "created": stamp(entry.generated_at),
            "modified": stamp(approval.decided_at),
            "creator": {"id": reviewer, "type": "Person", "name": approval.reviewer},
            "generator": {"id": addresses.release(entry), "type": "Software", "name": software},
            "rights": wording.rights,
            "body": {
                "type": "TextualBody",
                "value": wording.text,
                "format": "text/plain",
                "language": wording.language,
            },
            "target": _below(entry, "canvas"),
        }
    )


def _manifest(line: Departing, said: str, described: _Json | None) -> _Json:
    thing, phrases = line.object, disclosure.phrases(line)
    spoken = disclosure.language(line)
    return {
        "@context": [ANNOTATIONS, PRESENTATION],
        "id": _below(line, "manifest.json"),
        "type": "Manifest",
        "label": {_NO_LANGUAGE: [thing.title or thing.number]},
        "requiredStatement": {
            "label": {spoken: [phrases.label]},
            "value": {spoken: [said]},
        },
        "metadata": _metadata(line),
        "rights": line.image.rights,
        "provider": [_provider(line)],
        "homepage": _homepage(line),
        "items": [_canvas(line, described)],
    }


def _metadata(line: Departing) -> list[_Json]:
    thing = line.object
    known = {
        "Accession number": thing.number,
        "Artist": thing.artist,
        "Date": thing.date,
        "Medium": thing.medium,
        "Dimensions": thing.dimensions,
        "Credit line": thing.credit_line,
    }
    return [
        {"label": {"en": [label]}, "value": {_NO_LANGUAGE: [value]}}
        for label, value in known.items()
        if value
    ]


def _provider(line: Departing) -> _Json:
    name = {_NO_LANGUAGE: [line.institution.name]}
    return {"id": addresses.institution(line), "type": "Agent", "label": name}


def _homepage(line: Departing) -> list[_Json]:
    page = addresses.usable(line.object.object_uri)
    label = {_NO_LANGUAGE: [line.object.title or line.object.number]}
    return [{"id": page, "type": "Text", "label": label, "format": "text/html"}] if page else []


def _canvas(line: Departing, described: _Json | None) -> _Json:
    image = line.image
    painted = [_page(line, "painting", _painting(line))] if image.iiif else []
    pages = [_page(line, "descriptions", described)] if described else []
    return {
        "id": _below(line, "canvas"),
        "type": "Canvas",
        **filled({"label": {_NO_LANGUAGE: [image.view]} if image.view else None}),
        "height": image.height,
        "width": image.width,
        "items": painted,
        **filled({"annotations": pages}),
    }


def _page(line: Departing, name: str, item: _Json) -> _Json:
    return {"id": _below(line, name), "type": "AnnotationPage", "items": [item]}


def _painting(line: Departing) -> _Json:
    image = line.image
    return {
        "id": _below(line, "image"),
        "type": "Annotation",
        "motivation": "painting",
        "body": {
            "id": f"{image.iiif}/full/max/0/default.jpg",
            "type": "Image",
            "format": "image/jpeg",
            "height": image.height,
            "width": image.width,
            "service": [{"id": image.iiif, "type": "ImageService3", "profile": "level1"}],
        },
        "target": _below(line, "canvas"),
    }


def _below(line: Departing, name: str) -> str:
    return addresses.below(line, "iiif", line.record_id, name)


def _member(line: Departing, document: _Json) -> bytes:
    return folder.member(f"{addresses.escaped(line.record_id)}/manifest.json", encoded(document))
