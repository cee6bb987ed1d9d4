"""The texts of an object as simple Dublin Core, which every repository has to offer.

There is no element for provenance, so the disclosure stands with each text, in brackets.
"""

from predella.formats import disclosure
from predella.formats.bundle import Bundle
from predella.formats.xml import Element, element


def dublin_core(bundle: Bundle) -> Element:
    """Return the ``oai_dc:dc`` of an object."""
    thing = bundle.about.object
    many = [
        ("title", thing.title or thing.number),
        ("creator", thing.artist),
        ("date", thing.date),
        ("format", thing.medium),
        ("format", thing.dimensions),
        ("identifier", thing.number),
        ("identifier", thing.object_uri),
        ("publisher", bundle.about.institution.name),
        ("rights", thing.rights_work),
        ("rights", thing.credit_line),
    ]
    return element(
        "oai_dc:dc",
        *(element(f"dc:{name}", value) for name, value in many if value),
        *(
            element("dc:description", disclosure.with_text(entry), xml_lang=entry.language)
            for entry in bundle.entries
        ),
        *(element("dc:language", tag) for tag in dict.fromkeys(e.language for e in bundle.entries)),
        element("dc:type", "Image"),
    )
