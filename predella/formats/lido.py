"""Approved wordings as LIDO 1.1, the CIDOC format for harvesting museum objects.

Each record is a whole ``lido:lido`` document of one object; together they stand in one
``lido:lidoWrap``. Each kind of text is a descriptive note, and the languages that it is there in
are values of that note. Origin, reviewer and the release's notice are its
``sourceDescriptiveNote``, the only place that LIDO has for them. Of an object without any text
left, a sentence takes the wording's place, so that a receiver who replaces records by
``lidoRecID`` loses the text. A file without any record is not valid LIDO: the schema asks for
one at least.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby

from predella.formats import disclosure
from predella.formats.bundle import Bundle, Unit
from predella.formats.entry import (
    CatalogEntry,
    CatalogImage,
    CatalogObject,
    Departing,
    TextKind,
    object_id,
    part,
    stamp,
)
from predella.formats.xml import NAMESPACES, Element, element, serialise

MEDIA_TYPE = "application/xml"
SUFFIX = ".xml"
BEGIN = (
    f'<?xml version="1.0" encoding="UTF-8"?>\n<lido:lidoWrap xmlns:lido="{NAMESPACES["lido"]}">\n'
).encode()
SEPARATOR = b""
END = b"</lido:lidoWrap>\n"
UNIT = Unit.OBJECT
KINDS = frozenset(TextKind)
ADDRESSED = False
WITHDRAWS = True

_TERMS = "http://terminology.lido-schema.org/"
_LOCAL = f"{_TERMS}lido00100"
"""An identifier that its owner made up."""
_URI = f"{_TERMS}lido00099"
_SPECIFIC_RIGHTS = f"{_TERMS}lido00921"
_AAT = "http://vocab.getty.edu/aat/"
_ACCESSION_NUMBER = f"{_AAT}300312355"
_AI_GENERATED = f"{_AAT}300456841"


def encode(bundle: Bundle) -> bytes:
    """Return the record of an object."""
    return serialise(record(bundle))


def record(bundle: Bundle) -> Element:
    """Return the record of an object as an element."""
    line, language = bundle.about, bundle.lines[0].language
    return element(
        "lido:lido",
        element(
            "lido:lidoRecID",
            object_id(line),
            lido_type=_LOCAL,
            lido_source=line.institution.name,
        ),
        element(
            "lido:category",
            _concept(
                "http://www.cidoc-crm.org/cidoc-crm/E22_Human-Made_Object", "Human-Made Object"
            ),
        ),
        element(
            "lido:descriptiveMetadata",
            _classification(),
            _identification(bundle),
            _production(line.object),
            xml_lang=language,
        ),
        element(
            "lido:administrativeMetadata",
            _rights_in_work(line.object),
            _about_record(line, stamp(max(map(_moment, bundle.lines)))),
            element("lido:resourceWrap", *map(_resource, bundle.images)),
            xml_lang=language,
        ),
    )


def _moment(line: Departing) -> datetime:
    return line.approval.decided_at if isinstance(line, CatalogEntry) else line.withdrawn_at


def _classification() -> Element:
    work_type = element("lido:objectWorkType", _concept(f"{_AAT}300133025", "works of art"))
    return element("lido:objectClassificationWrap", element("lido:objectWorkTypeWrap", work_type))


def _identification(bundle: Bundle) -> Element:
    line, thing = bundle.about, bundle.about.object
    title = element("lido:titleSet", _appellation(thing.title or thing.number))
    repository = element(
        "lido:repositorySet",
        element("lido:repositoryName", *_legal_body(line)),
        element("lido:workID", thing.number, lido_type=_ACCESSION_NUMBER),
    )
    return element(
        "lido:objectIdentificationWrap",
        element("lido:titleWrap", title),
        element("lido:repositoryWrap", repository),
        element("lido:objectDescriptionWrap", *_descriptions(bundle)),
        _nested(
            thing.dimensions,
            "lido:objectMeasurementsWrap",
            "lido:objectMeasurementsSet",
            "lido:displayObjectMeasurements",
        ),
        _nested(
            thing.medium,
            "lido:objectMaterialsTechWrap",
            "lido:objectMaterialsTechSet",
            "lido:displayMaterialsTech",
        ),
    )


def _descriptions(bundle: Bundle) -> Iterator[Element]:
    for _, variants in groupby(bundle.lines, part):
        yield _description(list(variants))


def _description(variants: Sequence[Departing]) -> Element:
    """Return the note of one kind of text, in every language that it is there in."""
    ids = (
        element("lido:descriptiveNoteID", line.revision_id.urn, lido_type=_URI) for line in variants
    )
    sources = (
        element(
            "lido:sourceDescriptiveNote",
            disclosure.said(line),
            xml_lang=disclosure.language(line),
        )
        for line in variants
    )
    rights = dict.fromkeys(filter(None, map(_rights_in_text, variants)))
    return element(
        "lido:objectDescriptionSet",
        *ids,
        *map(_value, variants),
        *sources,
        *(_description_rights(uri, variants[0]) for uri in rights),
        lido_type=_AI_GENERATED,
    )


def _value(line: Departing) -> Element:
    """Return the text, labelled with its kind: the type of each note is that AI wrote it."""
    label = disclosure.phrases(line).kinds[line.kind]
    if isinstance(line, CatalogEntry):
        text, language = line.wording.text, line.language
    else:
        text, language = disclosure.withdrawal(line), disclosure.language(line)
    return element("lido:descriptiveNoteValue", text, xml_lang=language, lido_label=label)


def _rights_in_text(line: Departing) -> str | None:
    return line.wording.rights if isinstance(line, CatalogEntry) else None


def _description_rights(uri: str, line: Departing) -> Element:
    holder = element("lido:rightsHolder", *_legal_body(line))
    return element("lido:objectDescriptionRights", _rights_type(uri), holder)


def _production(thing: CatalogObject) -> Element | None:
    if not (thing.artist or thing.artist_uri or thing.date):
        return None
    event = element(
        "lido:event",
        element("lido:eventType", _concept(f"{_TERMS}lido00007", "Production")),
        _maker(thing),
        _nested(thing.date, "lido:eventDate", "lido:displayDate"),
    )
    return element("lido:eventWrap", element("lido:eventSet", event))


def _maker(thing: CatalogObject) -> Element | None:
    if not (name := thing.artist or thing.artist_uri):
        return None
    actor = element(
        "lido:actor",
        thing.artist_uri and element("lido:actorID", thing.artist_uri, lido_type=_URI),
        element("lido:nameActorSet", _appellation(name)),
    )
    return element("lido:eventActor", element("lido:actorInRole", actor))


def _rights_in_work(thing: CatalogObject) -> Element | None:
    if not (thing.rights_work or thing.credit_line):
        return None
    rights = element(
        "lido:rightsWorkSet",
        thing.rights_work and _rights_type(thing.rights_work),
        _nested(thing.credit_line, "lido:creditLine"),
    )
    return element("lido:rightsWorkWrap", rights)


def _about_record(line: Departing, modified: str) -> Element:
    information = element(
        "lido:recordInfoSet",
        _nested(line.object.object_uri, "lido:recordInfoLink"),
        element("lido:recordMetadataDate", modified, lido_type="modified"),
    )
    return element(
        "lido:recordWrap",
        element("lido:recordID", object_id(line), lido_type=_LOCAL),
        element("lido:recordType", _concept(f"{_TERMS}lido00141", "Item-level record")),
        element("lido:recordSource", *_legal_body(line)),
        information,
    )


def _resource(image: CatalogImage) -> Element:
    described = f"{image.width} x {image.height} pixels, sha256 {image.sha256}"
    return element(
        "lido:resourceSet",
        element("lido:resourceID", image.key, lido_type=_LOCAL),
        _representation(image.iiif) if image.iiif else None,
        element("lido:resourceType", _concept(f"{_AAT}300215302", "digital images")),
        element("lido:resourceDescription", described, xml_lang="en"),
        element("lido:rightsResource", _rights_type(image.rights)) if image.rights else None,
    )


def _representation(iiif: str) -> Element:
    address = f"{iiif}/full/max/0/default.jpg"
    link = element("lido:linkResource", address, lido_formatResource="image/jpeg")
    return element("lido:resourceRepresentation", link)


def _legal_body(line: Departing) -> tuple[Element | None, Element]:
    uri = line.institution.uri
    return (
        element("lido:legalBodyID", uri, lido_type=_URI) if uri else None,
        element("lido:legalBodyName", _appellation(line.institution.name)),
    )


def _rights_type(uri: str) -> Element:
    concept = element("skos:Concept", rdf_about=uri)
    return element("lido:rightsType", concept, lido_type=_SPECIFIC_RIGHTS)


def _concept(uri: str, label: str) -> Element:
    return element("skos:Concept", element("skos:prefLabel", label, xml_lang="en"), rdf_about=uri)


def _appellation(name: str) -> Element:
    return element("lido:appellationValue", name)


def _nested(text: str | None, *names: str) -> Element | None:
    """Return the text in these elements, the first the outermost; None where there is no text."""
    if not text:
        return None
    made = element(names[-1], text)
    for name in reversed(names[:-1]):
        made = element(name, made)
    return made
