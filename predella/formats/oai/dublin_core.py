"""A wording as simple Dublin Core, which every repository has to offer.

There is no element for provenance, so the disclosure stands with the text, in brackets.
"""

from predella.formats import disclosure
from predella.formats.entry import CatalogEntry
from predella.formats.xml import Element, element


def dublin_core(entry: CatalogEntry) -> Element:
    """Return the ``oai_dc:dc`` of an entry."""
    thing, language = entry.object, entry.wording.language
    said = f"{entry.wording.text} [{disclosure.sentence(entry)}]"
    many = [
        ("title", thing.title or thing.number),
        ("creator", thing.artist),
        ("date", thing.date),
        ("format", thing.medium),
        ("format", thing.dimensions),
        ("identifier", thing.number),
        ("identifier", thing.object_uri),
        ("publisher", entry.institution.name),
        ("rights", thing.rights_work),
        ("rights", thing.credit_line),
    ]
    return element(
        "oai_dc:dc",
        *(element(f"dc:{name}", value) for name, value in many if value),
        element("dc:description", said.strip(), xml_lang=language),
        element("dc:language", language),
        element("dc:type", "Image"),
    )
