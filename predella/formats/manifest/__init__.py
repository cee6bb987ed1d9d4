"""What a digitization team hands in with its images: one row for each image.

The columns are in `COLUMNS`; a file is CSV or JSON Lines, may be gzip-compressed, and is read
in constant memory whatever it holds.
"""

from collections.abc import Iterator
from typing import BinaryIO

from predella.formats.manifest import csv_manifest, jsonl_manifest
from predella.formats.manifest.columns import COLUMNS, Column, template
from predella.formats.manifest.lines import Lines
from predella.formats.manifest.numbering import NONE, Numbering
from predella.formats.manifest.opening import characters
from predella.formats.manifest.problems import (
    ManifestBrokenError,
    ManifestHeaderError,
    RowProblem,
)
from predella.formats.manifest.rows import ManifestRow

__all__ = [
    "COLUMNS",
    "NONE",
    "Column",
    "ManifestBrokenError",
    "ManifestHeaderError",
    "ManifestRow",
    "Numbering",
    "RowProblem",
    "is_manifest",
    "read",
    "template",
]

_JSON_SUFFIXES = (".jsonl", ".ndjson", ".json")
_CSV_SUFFIXES = (".csv", ".tsv", ".txt")


def is_manifest(name: str) -> bool:
    """Tell by its name whether a file is a manifest."""
    return name.lower().removesuffix(".gz").endswith(_JSON_SUFFIXES + _CSV_SUFFIXES)


def read(
    stream: BinaryIO, *, name: str, numbering: Numbering = NONE
) -> Iterator[ManifestRow | RowProblem]:
    """Check the header, then return the rows one by one, each typed or explained.

    ``name`` is the file's; it decides between CSV and JSON Lines. The stream is read once,
    forward, and left open. ``numbering`` tells the object numbers that
    rows leave empty; those of pictures are still to be read.

    Raises:
        ManifestHeaderError: at once, before any row, when the file or its header cannot be used.
        ManifestBrokenError: from the iterator, when the rows can no longer be told apart.
    """
    lines = Lines(characters(stream))
    if name.lower().removesuffix(".gz").endswith(_JSON_SUFFIXES):
        return jsonl_manifest.read(lines, numbering)
    return csv_manifest.read(lines, numbering)
