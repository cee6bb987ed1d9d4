"""JSON: lines with the full provenance, manifests, Linked Art, training records."""

import json
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from typing import Any, BinaryIO

from predella.formats import paintingform
from predella.formats.checking.problem import Names, Problem, moment, statement

_AI_GENERATED = "http://vocab.getty.edu/aat/300456841"


def check_lines(file: BinaryIO) -> Iterator[Problem]:
    """Yield what is wrong in a file of JSON Lines."""
    names = Names()
    for number, line in enumerate(file, start=1):
        yield from _line(f"line {number}", line, names)


def check_training(file: BinaryIO) -> Iterator[Problem]:
    """Yield what is wrong in a file of training records."""
    names, number = Names(), 0
    try:
        for number, record in enumerate(paintingform.read(file), start=1):
            place = f"record {number}"
            yield from names.take(place, record.id)
            if not record.disclosure:
                yield Problem(place, "nothing tells who wrote the text")
    except paintingform.TrainingRecordError as error:
        yield Problem(f"record {error.number or number + 1}", error.why)


def check_document(place: str, data: bytes, names: Names) -> Iterator[Problem]:
    """Yield what is wrong in a document that stands alone."""
    try:
        document = json.loads(data)
    except ValueError as error:
        yield Problem(place, f"it cannot be read as JSON: {error}")
        return
    kind = str(document.get("type")) if isinstance(document, dict) else "a list"
    if kind not in _CHECKS:
        yield Problem(place, f"{kind!r} is no type of a document that we write")
        return
    yield from names.take(place, document.get("id"))
    if not document.get("@context"):
        yield Problem(place, "it has no @context")
    yield from _CHECKS[kind](place, document)


def _line(place: str, line: bytes, names: Names) -> Iterator[Problem]:
    try:
        document = json.loads(line)
        yield from names.take(place, document["record_id"])
        yield from statement(place, document["object"]["rights_work"])
        yield from statement(place, document["image"]["rights"])
        if not document["disclosure"]["text"]:
            yield Problem(place, "nothing tells who wrote the text")
        if document["withdrawn_at"] is None:
            yield from _wording(place, document)
        else:
            yield from moment(place, document["withdrawn_at"], what="withdrawn_at")
    except (KeyError, TypeError) as error:
        yield Problem(place, f"a key is missing: {error}")
    except ValueError as error:
        yield Problem(place, f"it cannot be read as JSON: {error}")


def _wording(place: str, document: Mapping[str, Any]) -> Iterator[Problem]:
    wording = document["wording"]
    if sha256(wording["text"].encode()).hexdigest() != wording["sha256"]:
        yield Problem(place, "the text is not the one with its sha256: it was altered")
    yield from statement(place, wording["rights"])
    yield from moment(place, document["review"]["decided_at"], what="decided_at")
    yield from moment(place, document["generated_at"], what="generated_at")
    if not document["review"]["reviewer"] or not document["release"]["digest"]:
        yield Problem(place, "the reviewer or the release is missing")


def _manifest(place: str, document: Mapping[str, Any]) -> Iterator[Problem]:
    if not document.get("requiredStatement", {}).get("value"):
        yield Problem(place, "nothing tells who wrote the text: requiredStatement is missing")
    if not document.get("label") or not document.get("items"):
        yield Problem(place, "a manifest needs a label and items")
    yield from statement(place, document.get("rights"))
    for canvas in document.get("items", []):
        for page in canvas.get("annotations", []):
            for annotation in page.get("items", []):
                yield from _annotation(place, annotation)


def _annotation(place: str, annotation: Mapping[str, Any]) -> Iterator[Problem]:
    if not annotation.get("generator") or not annotation.get("creator"):
        yield Problem(place, "an annotation does not say who approved it, or what wrote it")
    yield from statement(place, annotation.get("rights"))
    for key in ("created", "modified"):
        yield from moment(place, annotation.get(key), what=key)


def _text(place: str, document: Mapping[str, Any]) -> Iterator[Problem]:
    if _AI_GENERATED not in {kind.get("id") for kind in document.get("classified_as", [])}:
        yield Problem(place, "the text is not classified as AI Generated Content")
    if not document.get("referred_to_by"):
        yield Problem(place, "nothing tells who wrote the text: referred_to_by is missing")
    if "content" in document and not document.get("created_by"):
        yield Problem(place, "a text needs created_by")


def _object(place: str, document: Mapping[str, Any]) -> Iterator[Problem]:
    if not document.get("identified_by"):
        yield Problem(place, "the object has neither a name nor a number")
    for said in document.get("referred_to_by", []):
        if "language" in said and not said.get("referred_to_by"):
            yield Problem(place, "nothing tells who wrote a statement")


_CHECKS: Mapping[str, Callable[[str, Mapping[str, Any]], Iterator[Problem]]] = {
    "HumanMadeObject": _object,
    "LinguisticObject": _text,
    "Manifest": _manifest,
}
