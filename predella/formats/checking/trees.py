"""XML: LIDO files, replies of OAI-PMH, XMP sidecars."""

from collections.abc import Callable, Iterator
from typing import BinaryIO

from lxml import etree

from predella.formats.checking.problem import Names, Problem, moment, statement
from predella.formats.xml import NAMESPACES as NS
from predella.formats.xml import Element

_LIDO = f"{{{NS['lido']}}}lido"
_RECORD = f"{{{NS['oai']}}}record"
_REPLY = f"{{{NS['oai']}}}OAI-PMH"
_ABOUT = f"{{{NS['rdf']}}}about"
_RESOURCE = f"{{{NS['rdf']}}}resource"

Official = Callable[[Element], Iterator[str]]
"""What an official schema says of a record."""


def check(file: BinaryIO, official: Official) -> Iterator[Problem]:
    """Yield what is wrong in a file of LIDO, or in a reply of OAI-PMH, record by record."""
    names, number = Names(), 0
    try:
        for _, found in etree.iterparse(
            file, tag=(_LIDO, _RECORD), resolve_entities=False, no_network=True, load_dtd=False
        ):
            if found.tag == _LIDO and _inside_reply(found):
                continue
            number += 1
            place = f"record {number} (line {found.sourceline})"
            yield from (_lido if found.tag == _LIDO else _oai)(place, found, names)
            yield from (Problem(place, sentence) for sentence in official(found))
            _forget(found)
    except etree.XMLSyntaxError as error:
        yield Problem(f"line {error.lineno}", f"it is not well-formed XML: {error.msg}")
        return
    if not number:
        yield Problem("file", "it has neither a LIDO record nor one of OAI-PMH")


def is_reply(file: BinaryIO) -> bool:
    """Say whether the file is a reply of OAI-PMH: one page, not a whole export."""
    file.seek(0)
    try:
        _, root = next(iter(etree.iterparse(file, events=("start",), resolve_entities=False)))
    except etree.XMLSyntaxError:
        return False
    return bool(root.tag == _REPLY)


def check_sidecar(place: str, data: bytes) -> Iterator[Problem]:
    """Yield what is wrong in an XMP sidecar."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        tree = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        yield Problem(place, f"it is not well-formed XML: {error.msg}")
        return
    described = tree.findall(".//rdf:Description/*", NS)
    if not described or not all(child.findtext(".//rdf:li", None, NS) for child in described):
        yield Problem(place, "it describes nothing")
    if strange := [child.tag for child in described if f"{{{NS['iptc']}}}" not in child.tag]:
        yield Problem(place, f"only texts for accessibility may stand here, not {strange}")


def _lido(place: str, record: Element, names: Names) -> Iterator[Problem]:
    yield from names.take(place, record.findtext("lido:lidoRecID", None, NS))
    for name in ("descriptiveMetadata", "administrativeMetadata"):
        if record.find(f"lido:{name}", NS) is None:
            yield Problem(place, f"lido:{name} is missing")
    for note in record.iterfind(".//lido:objectDescriptionSet", NS):
        texts = note.findall("lido:descriptiveNoteValue", NS)
        sources = note.findall("lido:sourceDescriptiveNote", NS)
        if not all(source.text for source in sources) or len(sources) < len(texts):
            yield Problem(place, "nothing tells who wrote the text: no sourceDescriptiveNote")
    for concept in record.iterfind(".//lido:rightsType/skos:Concept", NS):
        yield from statement(place, concept.get(_ABOUT))
    for date in record.iterfind(".//lido:recordMetadataDate", NS):
        yield from moment(place, date.text, what="recordMetadataDate")


def _oai(place: str, record: Element, names: Names) -> Iterator[Problem]:
    yield from names.take(place, record.findtext("oai:header/oai:identifier", None, NS))
    stamp = record.findtext("oai:header/oai:datestamp", "", NS)
    yield from moment(place, stamp, what="datestamp")
    head = record.find("oai:header", NS)
    deleted = head is not None and head.get("status") == "deleted"
    payload = record.find("oai:metadata/*", NS)
    if deleted == (payload is not None):
        yield Problem(place, "a record has metadata, or it is deleted: one of them")
    if payload is not None:
        yield from _payload(place, payload)


def _payload(place: str, payload: Element) -> Iterator[Problem]:
    if payload.tag == _LIDO:
        yield from _lido(place, payload, Names())
        return
    texts = [found.text or "" for found in payload.iterfind(".//dc:description", NS)]
    if not texts or not all(text.endswith("]") for text in texts):
        yield Problem(place, "nothing tells who wrote the text: no brackets in dc:description")
    for rights in payload.iterfind(".//edm:rights", NS):
        yield from statement(place, rights.get(_RESOURCE))


def _inside_reply(found: Element) -> bool:
    return any(True for _ in found.iterancestors(_RECORD))


def _forget(found: Element) -> None:
    """Let go of what was read, so that a file of any size fits."""
    found.clear()
    parent = found.getparent()
    while parent is not None and found.getprevious() is not None:
        del parent[0]
