"""XMP: the value of a property, in whichever of the ways of RDF it is written.

Source: XMP Specification part 1 (ISO 16684-1), 7.
"""

from collections.abc import Iterator

from lxml import etree

from predella.formats.xml import NAMESPACES, Element

_RDF = f"{{{NAMESPACES['rdf']}}}"
_LANGUAGE = f"{{{NAMESPACES['xml']}}}lang"
_LISTS = {f"{_RDF}Bag", f"{_RDF}Seq"}


def values(packet: bytes, path: tuple[str, ...]) -> list[str]:
    """Return the values of a property, or of a part of the structures that it holds.

    A list gives all of its values; of alternatives (the same in several languages) the default
    counts. What is no XML, or has a document type, gives nothing.
    """
    nodes: list[Element | str] = list(_descriptions(packet))
    for name in path:
        nodes = [
            value
            for node in nodes
            if not isinstance(node, str)
            for held in _held(node, name)
            for value in _listed(held)
        ]
    return [_text(node) for node in nodes]


def _descriptions(packet: bytes) -> Iterator[Element]:
    if b"<!DOCTYPE" in packet:
        return
    # Nothing is fetched; lxml bounds depth and size.
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(packet.strip(b"\0 \t\r\n"), parser)
    except (etree.XMLSyntaxError, ValueError):
        return
    for document in root.iter(f"{_RDF}RDF"):
        yield from document.findall(f"{_RDF}Description")


def _held(node: Element, name: str) -> Iterator[Element | str]:
    """Yield what a node says under a name: as attribute, or as element."""
    for each in (node, *node.findall(f"{_RDF}Description")):
        if (said := each.get(name)) is not None:
            yield said
        yield from each.findall(name)


def _listed(held: Element | str) -> Iterator[Element | str]:
    if isinstance(held, str):
        yield held
        return
    child = next(iter(held), None)
    if child is not None and child.tag in _LISTS:
        yield from child.findall(f"{_RDF}li")
    elif child is not None and child.tag == f"{_RDF}Alt":
        choices = child.findall(f"{_RDF}li")
        usual = (each for each in choices if each.get(_LANGUAGE) == "x-default")
        yield from [next(usual, *choices[:1])] if choices else []
    else:
        yield held


def _text(node: Element | str) -> str:
    if isinstance(node, str):
        return node
    qualified = node.find(f".//{_RDF}value")
    said = (node if qualified is None else qualified).text
    return said or node.get(f"{_RDF}resource") or ""
