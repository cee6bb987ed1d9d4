"""Approved wordings as XMP sidecars: a tar archive with one ``.xmp`` beside each image's name.

Only the two fields that IPTC means for those who do not see the picture: Alt Text, and Extended
Description for the longer texts, each in the languages that there are. A formal analysis goes
before a long description in the same language. Nothing marks the image itself: the fields for
works of AI speak of the picture, and this picture is a photograph of a painting. So the
disclosure stands at the end of the text, in brackets.

A sidecar is of an image, whatever objects it shows: of two texts for one field the one that was
decided on last stands there. Where a text was withdrawn and no other takes its place, a sentence
does, since what copies fields into an image leaves alone what is not in the sidecar.
Source: IPTC Photo Metadata Standard 2025.1; XMP Specification part 1 (ISO 16684-1).
"""

from predella.formats import addresses, disclosure, folder
from predella.formats.bundle import Bundle, Unit
from predella.formats.entry import CatalogEntry, Departing, TextKind
from predella.formats.xml import Element, element, serialise

MEDIA_TYPE = folder.MEDIA_TYPE
SUFFIX = folder.SUFFIX
BEGIN = folder.BEGIN
SEPARATOR = folder.SEPARATOR
END = folder.END

_FIELDS = {
    "AltTextAccessibility": (TextKind.ALT_TEXT,),
    "ExtDescrAccessibility": (TextKind.FORMAL_ANALYSIS, TextKind.LONG_DESCRIPTION),
}
"""And what may stand in them; of two in one language the first."""
UNIT = Unit.IMAGE
KINDS = frozenset(kind for kinds in _FIELDS.values() for kind in kinds)
ADDRESSED = False
WITHDRAWS = True


def encode(bundle: Bundle) -> bytes:
    """Return the sidecar of an image."""
    fields = (_field(name, bundle) for name in _FIELDS)
    described = element("rdf:Description", *fields, rdf_about="")
    document = element("x:xmpmeta", element("rdf:RDF", described))
    key, collection = bundle.about.image.key, bundle.about.collection
    # A slash too many in a key is a step of its own: no two keys give one name.
    path = "/".join(addresses.escaped(step or "/") for step in key.split("/"))
    return folder.member(f"{collection}/{path}.xmp", serialise(document))


def _field(name: str, bundle: Bundle) -> Element | None:
    chosen = _by_language(name, bundle)
    choices = [(language, _written(chosen[language])) for language in sorted(chosen)]
    if not choices:
        return None
    default = ("x-default", choices[0][1])
    listed = (element("rdf:li", text, xml_lang=tag) for tag, text in (default, *choices))
    return element(f"iptc:{name}", element("rdf:Alt", *listed))


def _by_language(name: str, bundle: Bundle) -> dict[str, Departing]:
    kinds = _FIELDS[name]
    decided = sorted(bundle.entries, key=lambda entry: entry.approval.decided_at)
    every: list[Departing] = [*bundle.tombstones, *decided]
    lines = [line for line in every if line.kind in kinds]
    # Of one language the last stays: an entry, of the first kind, decided on last.
    lines.sort(key=lambda line: (isinstance(line, CatalogEntry), -kinds.index(line.kind)))
    return {line.language: line for line in lines}


def _written(line: Departing) -> str:
    if isinstance(line, CatalogEntry):
        return disclosure.with_text(line)
    return disclosure.withdrawal(line)
