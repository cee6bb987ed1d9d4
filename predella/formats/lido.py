"""Approved wordings as LIDO 1.1, the CIDOC format for harvesting museum objects.

Each record is a whole ``lido:lido`` document; together they stand in one ``lido:lidoWrap``.
The wording is a descriptive note; its origin, its reviewer and the release's notice are its
``sourceDescriptiveNote``, the only place that LIDO has for them. In a record that was
withdrawn, a sentence takes the wording's place, so that a receiver who replaces records by
``lidoRecID`` loses the text. A file without any record is not valid LIDO: the schema asks for
one at least.
"""

from predella.formats import disclosure
from predella.formats.entry import (
    CatalogEntry,
    CatalogObject,
    CatalogTombstone,
    Departing,
    TextKind,
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


def encode(entry: CatalogEntry) -> bytes:
    """Return the entry's record."""
    return serialise(record(entry))


def bury(tombstone: CatalogTombstone) -> bytes:
    """Return the record in which a sentence takes the wording's place."""
    return serialise(withdrawn(tombstone))


def record(entry: CatalogEntry) -> Element:
    """Return the entry's record as an element."""
    decided = stamp(entry.approval.decided_at)
    return _record(entry, entry.wording.language, _description(entry), decided)


def withdrawn(tombstone: CatalogTombstone) -> Element:
    """Return the record of a withdrawn wording as an element."""
    said, spoken = disclosure.withdrawal(tombstone), disclosure.language(tombstone)
    note = element(
        "lido:objectDescriptionSet",
        element("lido:descriptiveNoteID", tombstone.revision_id.urn, lido_type=_URI),
        element("lido:descriptiveNoteValue", said, xml_lang=spoken),
        element("lido:sourceDescriptiveNote", said, xml_lang=spoken),
        lido_type=_AI_GENERATED,
    )
    return _record(tombstone, tombstone.language, note, stamp(tombstone.withdrawn_at))


def _record(line: Departing, language: str, note: Element, modified: str) -> Element:
    return element(
        "lido:lido",
        element(
            "lido:lidoRecID",
            line.record_id,
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
            _identification(line, note),
            _production(line.object),
            xml_lang=language,
        ),
        element(
            "lido:administrativeMetadata",
            _rights_in_work(line.object),
            _about_record(line, modified),
            _resource(line),
            xml_lang=language,
        ),
    )


def _classification() -> Element:
    work_type = element("lido:objectWorkType", _concept(f"{_AAT}300133025", "works of art"))
    return element("lido:objectClassificationWrap", element("lido:objectWorkTypeWrap", work_type))


def _identification(line: Departing, note: Element) -> Element:
    thing = line.object
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
        element("lido:objectDescriptionWrap", note),
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


def _description(entry: CatalogEntry) -> Element:
    wording = entry.wording
    rights = wording.rights and element(
        "lido:objectDescriptionRights",
        _rights_type(wording.rights),
        element("lido:rightsHolder", *_legal_body(entry)),
    )
    return element(
        "lido:objectDescriptionSet",
        element("lido:descriptiveNoteID", wording.revision_id.urn, lido_type=_URI),
        element("lido:descriptiveNoteValue", wording.text, xml_lang=wording.language),
        element(
            "lido:sourceDescriptiveNote",
            disclosure.sentence(entry),
            xml_lang=disclosure.language(entry),
        ),
        rights,
        lido_type=_AI_GENERATED,
    )


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
        element("lido:recordID", line.record_id, lido_type=_LOCAL),
        element("lido:recordType", _concept(f"{_TERMS}lido00141", "Item-level record")),
        element("lido:recordSource", *_legal_body(line)),
        information,
    )


def _resource(line: Departing) -> Element:
    image = line.image
    described = f"{image.width} x {image.height} pixels, sha256 {image.sha256}"
    resource = element(
        "lido:resourceSet",
        element("lido:resourceID", image.key, lido_type=_LOCAL),
        _representation(image.iiif) if image.iiif else None,
        element("lido:resourceType", _concept(f"{_AAT}300215302", "digital images")),
        element("lido:resourceDescription", described, xml_lang="en"),
        element("lido:rightsResource", _rights_type(image.rights)) if image.rights else None,
    )
    return element("lido:resourceWrap", resource)


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
