"""XML elements that cannot come out broken, whatever the text in them."""

from typing import TypeAlias

from lxml import etree

from predella.formats.text import normalise

Element: TypeAlias = etree._Element  # noqa: SLF001  (lxml has no public name for it)

NAMESPACES = {
    "lido": "http://www.lido-schema.org",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
}
_XML = "http://www.w3.org/XML/1998/namespace"


def element(name: str, *content: Element | str | None, **attributes: str | None) -> Element:
    """Return the element ``prefix:name``; content and attributes that are None are left out.

    An attribute is named as ``lido_type`` for ``lido:type``.
    """
    made = etree.Element(_qualified(name), nsmap=NAMESPACES)
    for key, value in attributes.items():
        if value is not None:
            made.set(_qualified(key.replace("_", ":", 1)), normalise(value))
    for part in content:
        if isinstance(part, str):
            made.text = normalise(part)
        elif part is not None:
            made.append(part)
    return made


def serialise(made: Element) -> bytes:
    """Return the element in UTF-8, indented, as a document of its own without a declaration."""
    return etree.tostring(made, encoding="utf-8", xml_declaration=False, pretty_print=True)


def _qualified(name: str) -> str:
    prefix, local = name.split(":")
    return f"{{{_XML if prefix == 'xml' else NAMESPACES[prefix]}}}{local}"
