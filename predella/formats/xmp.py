"""Approved wordings as XMP sidecars: a tar archive with one ``.xmp`` beside each image's name.

Only the two fields that IPTC means for those who do not see the picture: Alt Text, and Extended
Description for the longer texts. Nothing marks the image itself: the fields for
works of AI speak of the picture, and this picture is a photograph of a painting. So the
disclosure stands at the end of the text, in brackets. Alternative texts and extended
descriptions lie in folders of their own, so that neither takes the other's place.
Source: IPTC Photo Metadata Standard 2025.1; XMP Specification part 1 (ISO 16684-1).
"""

from predella.formats import addresses, disclosure, folder
from predella.formats.entry import CatalogEntry, CatalogTombstone, Departing, TextKind
from predella.formats.xml import element, serialise

MEDIA_TYPE = folder.MEDIA_TYPE
SUFFIX = folder.SUFFIX
BEGIN = folder.BEGIN
SEPARATOR = folder.SEPARATOR
END = folder.END

_PROPERTIES = {
    TextKind.ALT_TEXT: ("alt-text", "AltTextAccessibility"),
    TextKind.FORMAL_ANALYSIS: ("extended-description", "ExtDescrAccessibility"),
    TextKind.LONG_DESCRIPTION: ("long-description", "ExtDescrAccessibility"),
}
KINDS = frozenset(_PROPERTIES)
ADDRESSED = False
WITHDRAWS = True


def encode(entry: CatalogEntry) -> bytes:
    """Return the sidecar of the entry's image."""
    wording = entry.wording
    text = f"{wording.text} [{disclosure.sentence(entry)}]"
    return _sidecar(entry, wording.kind, wording.language, text)


def bury(tombstone: CatalogTombstone) -> bytes:
    """Return the sidecar in which a sentence takes the text's place."""
    said = disclosure.withdrawal(tombstone)
    return _sidecar(tombstone, tombstone.kind, tombstone.language, said)


def _sidecar(line: Departing, kind: TextKind, language: str, text: str) -> bytes:
    place, name = _PROPERTIES[kind]
    choices = element(
        "rdf:Alt",
        element("rdf:li", text, xml_lang="x-default"),
        element("rdf:li", text, xml_lang=language),
    )
    described = element("rdf:Description", element(f"iptc:{name}", choices), rdf_about="")
    document = element("x:xmpmeta", element("rdf:RDF", described))
    path = "/".join(addresses.escaped(step) for step in line.image.key.split("/") if step)
    return folder.member(f"{place}/{line.collection}/{path}.xmp", serialise(document))
