"""A wording as part of an object in the Europeana Data Model (external form)."""

import re

from predella.formats import addresses, disclosure
from predella.formats.entry import CatalogEntry, CatalogObject
from predella.formats.xml import Element, element

_ACCEPTED = re.compile(
    r"http://creativecommons\.org/(licenses|publicdomain)/.*"
    r"|http://rightsstatements\.org/vocab/(NoC-NC|NoC-OKLR|InC|InC-EDU|InC-OW-EU|CNE)/1\.0/"
)
"""Europeana takes all of Creative Commons, and six of the twelve rights statements."""


def obstacle(entry: CatalogEntry) -> str | None:
    """Return why Europeana would not take the entry; None if it would."""
    if not _ACCEPTED.fullmatch(entry.object.rights_work or ""):
        return f"Europeana does not accept the rights statement {entry.object.rights_work}"
    if not (addresses.usable(entry.object.object_uri) or entry.image.iiif):
        return "neither the object nor its image has an address at which it can be seen"
    return None


def edm(entry: CatalogEntry) -> Element:
    """Return the ``rdf:RDF`` of an entry that meets no `obstacle`.

    Raises:
        NoAddressError: the entry has no ``base``.
    """
    picture = f"{entry.image.iiif}/full/max/0/default.jpg" if entry.image.iiif else None
    return element(
        "rdf:RDF", _object(entry), _web_resource(entry, picture), _aggregation(entry, picture)
    )


def _object(entry: CatalogEntry) -> Element:
    thing, wording = entry.object, entry.wording
    said = f"{wording.text} [{disclosure.sentence(entry)}]".strip()
    return element(
        "edm:ProvidedCHO",
        _said("dc:creator", thing.artist),
        element("dc:description", said, xml_lang=wording.language),
        element("dc:identifier", thing.number),
        element("dc:title", thing.title or thing.number),
        element("dc:type", rdf_resource="http://vocab.getty.edu/aat/300133025"),
        *_dated(thing),
        element("edm:type", "IMAGE"),
        rdf_about=addresses.thing(entry),
    )


def _dated(thing: CatalogObject) -> list[Element | None]:
    return [
        _said("dcterms:created", thing.date),
        _said("dcterms:extent", thing.dimensions),
        _said("dcterms:medium", thing.medium),
    ]


def _web_resource(entry: CatalogEntry, picture: str | None) -> Element | None:
    if not picture:
        return None
    rights = entry.image.rights or entry.object.rights_work
    return element("edm:WebResource", element("edm:rights", rdf_resource=rights), rdf_about=picture)


def _aggregation(entry: CatalogEntry, picture: str | None) -> Element:
    page, name = addresses.usable(entry.object.object_uri), entry.institution.name
    return element(
        "ore:Aggregation",
        element("edm:aggregatedCHO", rdf_resource=addresses.thing(entry)),
        element("edm:dataProvider", name),
        element("edm:isShownAt", rdf_resource=page) if page else None,
        element("edm:isShownBy", rdf_resource=picture) if picture else None,
        element("edm:provider", name),
        element("edm:rights", rdf_resource=entry.object.rights_work),
        rdf_about=addresses.below(entry, "aggregations", entry.record_id),
    )


def _said(name: str, value: str | None) -> Element | None:
    return element(name, value) if value else None
