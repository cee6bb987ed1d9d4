"""Approved wordings as IIIF Presentation 3: a tar archive with one manifest for each object.

Each wording is a W3C annotation that describes the canvas, which is the image that the model
saw: its creator is who approved it, its generator the software. The disclosures, in their
languages, are what a viewer has to show (``requiredStatement``).
"""

from collections.abc import Sequence
from typing import Any

from predella.formats import addresses, disclosure, folder
from predella.formats.bundle import Bundle, Unit
from predella.formats.document import encoded, filled
from predella.formats.entry import (
    CatalogEntry,
    CatalogImage,
    Departing,
    TextKind,
    object_id,
    stamp,
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

ANNOTATIONS = "http://www.w3.org/ns/anno.jsonld"
PRESENTATION = "http://iiif.io/api/presentation/3/context.json"
_NO_LANGUAGE = "none"
_Json = dict[str, Any]


def encode(bundle: Bundle) -> bytes:
    """Return the manifest of an object; of one without a text left, a sentence says so."""
    name = f"{addresses.escaped(object_id(bundle.about))}/manifest.json"
    return folder.member(name, encoded(manifest(bundle)))


def manifest(bundle: Bundle) -> _Json:
    """Return the manifest with the wordings in it."""
    line, thing = bundle.about, bundle.about.object
    return {
        "@context": [ANNOTATIONS, PRESENTATION],
        "id": _below(line, "manifest.json"),
        "type": "Manifest",
        "label": {_NO_LANGUAGE: [thing.title or thing.number]},
        "requiredStatement": _statement(bundle.lines),
        "metadata": _metadata(line),
        "rights": line.image.rights,
        "provider": [_provider(line)],
        "homepage": _homepage(line),
        "items": [_canvas(bundle, image) for image in bundle.images],
    }


def _statement(lines: Sequence[Departing]) -> _Json:
    """Return what is to be read beside the texts, by the language of the sentences."""
    labels: dict[str, list[str]] = {}
    said: dict[str, list[str]] = {}
    for line in lines:
        spoken = disclosure.language(line)
        labels[spoken] = [disclosure.phrases(line).label]
        said.setdefault(spoken, []).append(disclosure.said(line))
    return {"label": labels, "value": said}


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
            "target": _of_image(entry, entry.image, "canvas"),
        }
    )


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


def _canvas(bundle: Bundle, image: CatalogImage) -> _Json:
    line = bundle.about
    described = [annotation(entry) for entry in bundle.entries if _is_of(entry, image)]
    painted = [_page(line, image, "painting", [_painting(line, image)])] if image.iiif else []
    pages = [_page(line, image, "descriptions", described)] if described else []
    return {
        "id": _of_image(line, image, "canvas"),
        "type": "Canvas",
        **filled({"label": {_NO_LANGUAGE: [image.view]} if image.view else None}),
        "height": image.height,
        "width": image.width,
        "items": painted,
        **filled({"annotations": pages}),
    }


def _is_of(entry: CatalogEntry, image: CatalogImage) -> bool:
    return entry.image.sha256 == image.sha256


def _page(line: Departing, image: CatalogImage, name: str, items: list[_Json]) -> _Json:
    return {"id": _of_image(line, image, name), "type": "AnnotationPage", "items": items}


def _painting(line: Departing, image: CatalogImage) -> _Json:
    return {
        "id": _of_image(line, image, "image"),
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
        "target": _of_image(line, image, "canvas"),
    }


def _of_image(line: Departing, image: CatalogImage, name: str) -> str:
    return _below(line, name, image.sha256)


def _below(line: Departing, *steps: str) -> str:
    return addresses.below(line, "iiif", object_id(line), *steps)
