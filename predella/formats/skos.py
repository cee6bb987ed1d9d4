"""Terms to avoid out of a SKOS vocabulary, in RDF/XML or Turtle.

Source: SKOS Reference (W3C 2009), with labels as literals or as things (SKOS-XL).
"""

from collections.abc import Iterator, Mapping
from xml.sax import SAXException

from rdflib import Graph, Literal, Namespace
from rdflib.exceptions import ParserError
from rdflib.namespace import SKOS
from rdflib.term import Node

from predella.errors import InvalidError
from predella.formats.glossary import Entry, Labels, clean, primary, split

_XL = Namespace("http://www.w3.org/2008/05/skos-xl#")
_NOTES = (SKOS.scopeNote, SKOS.definition, SKOS.note)
_DAMAGED = (SyntaxError, SAXException, ParserError, ValueError)
"""What the parsers raise."""
_Label = tuple[Node, str, str | None]
"""A concept, one of its labels, and the label's language."""


def entries(data: bytes, name: str, *, turtle: bool, labels: Labels) -> Iterator[Entry]:
    """Return the labels to avoid, with the concept's notes and preferred label beside them.

    Raises:
        InvalidError: it is damaged.
    """
    graph = Graph()
    try:
        graph.parse(data=data, format="turtle" if turtle else "xml")
    except _DAMAGED as error:
        words = " ".join(str(error).split())[:200]
        raise InvalidError(f"{name!r} cannot be read as RDF: {words}") from error
    preferred = {(who, language): label for who, label, language in _labels(graph, "prefLabel")}
    avoided = ["altLabel", "hiddenLabel"] + ["prefLabel"] * (labels == "all")
    for kind in avoided:
        for label in _labels(graph, kind):
            instead = {} if labels == "all" else preferred
            yield from _entry(graph, label, instead)


def _entry(
    graph: Graph, label: _Label, preferred: Mapping[tuple[Node, str | None], str]
) -> Iterator[Entry]:
    concept, said, language = label
    if words := split(said):
        yield Entry(
            words=words,
            language=primary(language),
            why=_note(graph, concept, language),
            instead=clean(preferred.get((concept, language))),
            source=clean(str(concept)),
        )


def _labels(graph: Graph, kind: str) -> Iterator[_Label]:
    for concept, label in graph.subject_objects(SKOS[kind]):
        if isinstance(label, Literal):
            yield concept, str(label), label.language
    for concept, thing in graph.subject_objects(_XL[kind]):
        for form in graph.objects(thing, _XL.literalForm):
            if isinstance(form, Literal):
                yield concept, str(form), form.language


def _note(graph: Graph, concept: Node, language: str | None) -> str | None:
    notes = (note for kind in _NOTES for note in graph.objects(concept, kind))
    said = (
        str(note)
        for note in notes
        if isinstance(note, Literal) and note.language in {language, None}
    )
    return clean(next(said, None))
