"""Lists of terms that texts should not use: CSV as a museum writes it, or a SKOS vocabulary."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from predella.checks import Wording
from predella.errors import InvalidError
from predella.formats.text import normalise

MAX_BYTES = 50_000_000
_MAX_WORDS = 10
_MAX_TEXT = 2_000
_COLUMNS = ("term", "ruling", "language", "why", "instead", "source")
_RULINGS = {"": False, "avoid": False, "forbidden": True}

Labels = Literal["alternative", "all"]
"""Which labels of a SKOS concept are to be avoided: its alternative and hidden ones, for its
preferred one is what to say instead; or all, where the vocabulary lists contentious terms."""


@dataclass(frozen=True)
class Entry:
    """One term in one form."""

    words: tuple[str, ...]
    """In small letters."""
    forbidden: bool = False
    language: str | None = None
    """Primary part of the tag; none for any language."""
    why: str | None = None
    instead: str | None = None
    source: str | None = None


def read(data: bytes, name: str, *, labels: Labels = "alternative") -> list[Entry]:
    """Return the terms of a file; its name tells what it is: .csv, .ttl, .rdf or .xml.

    Raises:
        InvalidError: it is none of these, or damaged, or has no terms.
    """
    if len(data) > MAX_BYTES:
        raise InvalidError(f"{name!r} has {len(data):,} bytes; at most {MAX_BYTES:,} are read")
    ending = name.rpartition(".")[2].lower()
    if ending == "csv":
        found = list(_of_csv(data, name))
    elif ending in {"ttl", "rdf", "xml"}:
        # A vocabulary is read now and then; everything else does without its library.
        from predella.formats import skos

        found = list(skos.entries(data, name, turtle=ending == "ttl", labels=labels))
    else:
        raise InvalidError(f"{name!r} is no .csv, .ttl, .rdf or .xml file")
    if not found:
        raise InvalidError(f"{name!r} has no terms to avoid")
    return sorted(set(found), key=lambda entry: (entry.words, entry.language or "", repr(entry)))


def _of_csv(data: bytes, name: str) -> Iterator[Entry]:
    try:
        rows = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        titles = rows.fieldnames or ()
        if "term" not in titles or not set(titles) <= set(_COLUMNS):
            raise InvalidError(f"{name!r} needs the column term, and may have {_COLUMNS[1:]}")
        for number, row in enumerate(rows, start=2):
            yield _of_row(row, f"row {number} of {name!r}")
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidError(f"{name!r} cannot be read as CSV in UTF-8: {error}") from error


def _of_row(row: dict[str, str | None], where: str) -> Entry:
    said = {title: clean(row.get(title)) for title in _COLUMNS}
    words, ruling = split(said["term"] or ""), (said["ruling"] or "").lower()
    if not words:
        raise InvalidError(f"{where}: a term has 1 to {_MAX_WORDS} words")
    if ruling not in _RULINGS:
        raise InvalidError(f"{where}: the ruling is avoid or forbidden, not {ruling!r}")
    return Entry(
        words=words,
        forbidden=_RULINGS[ruling],
        language=primary(said["language"]),
        why=said["why"],
        instead=said["instead"],
        source=said["source"],
    )


def split(term: str) -> tuple[str, ...]:
    """Return the words of a term as texts are searched for them; none when there are too many."""
    words = tuple(word.text for word in Wording(normalise(term)).words)
    return words if len(words) <= _MAX_WORDS else ()


def clean(said: str | None) -> str | None:
    """Return what was said as it is stored; nothing when it is empty."""
    return normalise(said or "").strip()[:_MAX_TEXT] or None


def primary(language: str | None) -> str | None:
    """Return the first part of a language tag."""
    return language.partition("-")[0].lower() if language else None
