"""Approved wordings as LIDO 1.1, the CIDOC format for harvesting museum objects.

Each record is a whole ``lido:lido`` document; together they stand in one ``lido:lidoWrap``.
The wording is a descriptive note; its origin, its reviewer and the release's notice are its
``sourceDescriptiveNote``, the only place that LIDO has for them. A file without any record
is not valid LIDO: the schema asks for one at least.
"""

from predella.formats import disclosure
from predella.formats.entry import CatalogEntry, CatalogObject, stamp
from predella.formats.xml import NAMESPACES, Element, element, serialise

MEDIA_TYPE = "application/xml"
SUFFIX = ".xml"
BEGIN = (
    f'<?xml version="1.0" encoding="UTF-8"?>\n<lido:lidoWrap xmlns:lido="{NAMESPACES["lido"]}">\n'
).encode()
END = b"</lido:lidoWrap>\n"

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
    language = entry.wording.language
    return serialise(
        element(
            "lido:lido",
            element(
                "lido:lidoRecID",
                entry.record_id,
                lido_type=_LOCAL,
                lido_source=entry.institution.name,
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
                _identification(entry),
                _production(entry.object),
                xml_lang=language,
            ),
            element(
                "lido:administrativeMetadata",
                _rights_in_work(entry.object),
                _record(entry),
                _resource(entry),
                xml_lang=language,
            ),
        )
    )


def _classification() -> Element:
    work_type = element("lido:objectWorkType", _concept(f"{_AAT}300133025", "works of art"))
    return element("lido:objectClassificationWrap", element("lido:objectWorkTypeWrap", work_type))


def _identification(entry: CatalogEntry) -> Element:
    thing = entry.object
    title = element("lido:titleSet", _appellation(thing.title or thing.number))
    repository = element(
        "lido:repositorySet",
        element("lido:repositoryName", *_legal_body(entry)),
        element("lido:workID", thing.number, lido_type=_ACCESSION_NUMBER),
    )
    return element(
        "lido:objectIdentificationWrap",
        element("lido:titleWrap", title),
        element("lido:repositoryWrap", repository),
        element("lido:objectDescriptionWrap", _description(entry)),
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
            xml_lang=disclosure.LANGUAGE,
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


def _record(entry: CatalogEntry) -> Element:
    information = element(
        "lido:recordInfoSet",
        _nested(entry.object.object_uri, "lido:recordInfoLink"),
        element("lido:recordMetadataDate", stamp(entry.approval.decided_at), lido_type="modified"),
    )
    return element(
        "lido:recordWrap",
        element("lido:recordID", entry.record_id, lido_type=_LOCAL),
        element("lido:recordType", _concept(f"{_TERMS}lido00141", "Item-level record")),
        element("lido:recordSource", *_legal_body(entry)),
        information,
    )


def _resource(entry: CatalogEntry) -> Element:
    image = entry.image
    described = f"{image.width} x {image.height} pixels, sha256 {image.sha256}"
    resource = element(
        "lido:resourceSet",
        element("lido:resourceID", image.key, lido_type=_LOCAL),
        element("lido:resourceType", _concept(f"{_AAT}300215302", "digital images")),
        element("lido:resourceDescription", described, xml_lang=disclosure.LANGUAGE),
    )
    return element("lido:resourceWrap", resource)


def _legal_body(entry: CatalogEntry) -> tuple[Element | None, Element]:
    uri = entry.institution.uri
    return (
        element("lido:legalBodyID", uri, lido_type=_URI) if uri else None,
        element("lido:legalBodyName", _appellation(entry.institution.name)),
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
