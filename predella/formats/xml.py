"""XML elements that cannot come out broken, whatever the text in them."""

from typing import Any, TypeAlias

from lxml import etree

from predella.formats.text import normalise

Element: TypeAlias = etree._Element  # noqa: SLF001  (lxml has no public name for it)

NAMESPACES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "edm": "http://www.europeana.eu/schemas/edm/",
    "iptc": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "lido": "http://www.lido-schema.org",
    "oai": "http://www.openarchives.org/OAI/2.0/",
    "oai_dc": "http://www.openarchives.org/OAI/2.0/oai_dc/",
    "oai_id": "http://www.openarchives.org/OAI/2.0/oai-identifier",
    "ore": "http://www.openarchives.org/ore/terms/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "x": "adobe:ns:meta/",
    "xml": "http://www.w3.org/XML/1998/namespace",
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
}
_DECLARED: dict[str, Any] = {
    first: {prefix: NAMESPACES[prefix] for prefix in (first, *others)}
    for first, others in {
        "edm": ("dc", "dcterms", "rdf"),
        "lido": ("skos", "rdf"),
        "oai_dc": ("dc", "xsi"),
        "ore": ("edm", "rdf"),
        "skos": ("rdf",),
    }.items()
} | {"oai": {None: NAMESPACES["oai"], "xsi": NAMESPACES["xsi"]}}
"""What an element declares beside its own prefix: that of its attributes, and of what is in it."""


def element(name: str, *content: Element | str | None, **attributes: str | None) -> Element:
    """Return the element ``prefix:name``; content and attributes that are None are left out.

    An attribute is named as ``lido_type`` for ``lido:type``; one without a prefix as ``verb``.
    """
    prefix, local = name.split(":")
    uri = NAMESPACES[prefix]
    made = etree.Element(f"{{{uri}}}{local}", nsmap=_DECLARED.get(prefix) or {prefix: uri})
    for key, value in attributes.items():
        if value is not None:
            made.set(_qualified(key), normalise(value))
    for part in content:
        if isinstance(part, str):
            made.text = normalise(part)
        elif part is not None:
            made.append(part)
    return made


def serialise(made: Element) -> bytes:
    """Return the element in UTF-8, indented, as a document of its own without a declaration."""
    return etree.tostring(made, encoding="utf-8", xml_declaration=False, pretty_print=True)


def _qualified(key: str) -> str:
    prefix, _, local = key.partition("_")
    return f"{{{NAMESPACES[prefix]}}}{local}" if local else key
