"""An object and its texts in the Europeana Data Model (external form)."""

import re

from predella.formats import addresses, disclosure
from predella.formats.bundle import Bundle
from predella.formats.entry import CatalogObject, Departing, object_id
from predella.formats.xml import Element, element

_ACCEPTED = re.compile(
    r"http://creativecommons\.org/(licenses|publicdomain)/.*"
    r"|http://rightsstatements\.org/vocab/(NoC-NC|NoC-OKLR|InC|InC-EDU|InC-OW-EU|CNE)/1\.0/"
)
"""Europeana takes all of Creative Commons, and six of the twelve rights statements."""


def obstacle(bundle: Bundle) -> str | None:
    """Return why Europeana would not take the object; None if it would."""
    line = bundle.about
    if not _ACCEPTED.fullmatch(line.object.rights_work or ""):
        return f"Europeana does not accept the rights statement {line.object.rights_work}"
    if not (addresses.usable(line.object.object_uri) or line.image.iiif):
        return "neither the object nor its image has an address at which it can be seen"
    return None


def edm(bundle: Bundle) -> Element:
    """Return the ``rdf:RDF`` of an object that meets no `obstacle`.

    Raises:
        NoAddressError: the entry has no ``base``.
    """
    line = bundle.about
    picture = f"{line.image.iiif}/full/max/0/default.jpg" if line.image.iiif else None
    return element(
        "rdf:RDF", _object(bundle), _web_resource(line, picture), _aggregation(line, picture)
    )


def _object(bundle: Bundle) -> Element:
    line, thing = bundle.about, bundle.about.object
    return element(
        "edm:ProvidedCHO",
        _said("dc:creator", thing.artist),
        *(
            element("dc:description", disclosure.with_text(entry), xml_lang=entry.language)
            for entry in bundle.entries
        ),
        element("dc:identifier", thing.number),
        element("dc:title", thing.title or thing.number),
        element("dc:type", rdf_resource="http://vocab.getty.edu/aat/300133025"),
        *_dated(thing),
        element("edm:type", "IMAGE"),
        rdf_about=addresses.thing(line),
    )


def _dated(thing: CatalogObject) -> list[Element | None]:
    return [
        _said("dcterms:created", thing.date),
        _said("dcterms:extent", thing.dimensions),
        _said("dcterms:medium", thing.medium),
    ]


def _web_resource(line: Departing, picture: str | None) -> Element | None:
    if not picture:
        return None
    rights = line.image.rights or line.object.rights_work
    return element("edm:WebResource", element("edm:rights", rdf_resource=rights), rdf_about=picture)


def _aggregation(line: Departing, picture: str | None) -> Element:
    page, name = addresses.usable(line.object.object_uri), line.institution.name
    return element(
        "ore:Aggregation",
        element("edm:aggregatedCHO", rdf_resource=addresses.thing(line)),
        element("edm:dataProvider", name),
        element("edm:isShownAt", rdf_resource=page) if page else None,
        element("edm:isShownBy", rdf_resource=picture) if picture else None,
        element("edm:provider", name),
        element("edm:rights", rdf_resource=line.object.rights_work),
        rdf_about=addresses.below(line, "aggregations", object_id(line)),
    )


def _said(name: str, value: str | None) -> Element | None:
    return element(name, value) if value else None
