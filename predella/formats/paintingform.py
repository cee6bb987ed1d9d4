"""Approved wordings as training records, in the form of the PaintingForm data set.

One JSON array of conversations as LLaVA trains on them: a question with its image, and the
answer. The key ``disclosure`` is ours: who trains on these texts has to know what they are.
Source: the data set that comes with GalleryGPT (arXiv 2408.00491).
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from predella.errors import InvalidError
from predella.formats import disclosure
from predella.formats.bundle import Bundle, Unit
from predella.formats.entry import CatalogEntry, TextKind

MEDIA_TYPE = "application/json"
SUFFIX = ".json"
BEGIN = b"[\n"
SEPARATOR = b",\n"
END = b"\n]\n"
UNIT = Unit.TEXT
KINDS = frozenset({TextKind.FORMAL_ANALYSIS, TextKind.ELEMENT})
ADDRESSED = False
WITHDRAWS = False

QUESTION = "Please write a paragraph of formal analysis for this painting."
"""Where the release does not say what it was asked."""
_IMAGE = "\n<image>"
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(", ", ": "))


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRecord:
    """One question about one image, and its answer."""

    id: str
    image: str
    """Key of the image, relative to where the images are."""
    question: str
    answer: str
    disclosure: str | None = None


class TrainingRecordError(InvalidError):
    """A file, or one record in it, is not as the data set has them."""

    def __init__(self, number: int | None, why: str) -> None:
        super().__init__(f"record {number}: {why}" if number else why)
        self.number, self.why = number, why


def encode(bundle: Bundle) -> bytes:
    """Return the record of a text; nothing where it is withdrawn: it is simply not trained on."""
    line = bundle.about
    return written(record(line)) if isinstance(line, CatalogEntry) else b""


def record(entry: CatalogEntry) -> TrainingRecord:
    """Return the training record of an entry."""
    return TrainingRecord(
        id=entry.record_id,
        image=entry.image.key,
        question=entry.release.question or QUESTION,
        answer=entry.wording.text,
        disclosure=disclosure.sentence(entry),
    )


def written(made: TrainingRecord) -> bytes:
    """Return the record as it stands in a file."""
    document = {
        "id": made.id,
        "image": made.image,
        "conversations": [
            {"from": "human", "value": f"{made.question}{_IMAGE}"},
            {"from": "gpt", "value": made.answer},
        ],
        "disclosure": made.disclosure,
    }
    return _ENCODER.encode(document).encode()


def read(file: BinaryIO) -> Iterator[TrainingRecord]:
    """Yield the records of a file, ours or the published one; the whole file is in memory.

    Raises:
        TrainingRecordError: it is no such file, or a record of it is not whole.
    """
    try:
        records = json.load(file)
    except ValueError as error:
        raise TrainingRecordError(None, f"it cannot be read as JSON: {error}") from error
    if not isinstance(records, list):
        raise TrainingRecordError(None, "it is no JSON array of records")
    for number, document in enumerate(records, start=1):
        yield _record(number, document)


def _record(number: int, document: Any) -> TrainingRecord:
    try:
        asked, answered = document["conversations"]
        if (asked["from"], answered["from"]) != ("human", "gpt"):
            raise TrainingRecordError(number, "a conversation is one of human and one of gpt")
        return TrainingRecord(
            id=document["id"],
            image=document["image"],
            question=asked["value"].removesuffix(_IMAGE).removeprefix(f"{_IMAGE.strip()}\n"),
            answer=answered["value"],
            disclosure=document.get("disclosure"),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        why = "it needs id, image and a conversation of two turns with from and value"
        raise TrainingRecordError(number, why) from error
