"""What it costs to write catalog files: records per second on one core, and peak memory.

The baselines do the same work in the way that comes to mind first: `csv.DictWriter` alone, with
neither provenance nor care for spreadsheets; `json.dumps` of the entry as it is; and for LIDO
one tree of the whole file, which is written at its end.
"""

import csv
import io
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from typing import BinaryIO

from lxml import etree

from predella.formats import catalog, lido
from predella.formats.bundle import Bundle
from predella.formats.entry import CatalogEntry
from tests.bench.memory import own_peak
from tests.predella.formats import factories

_TEXT = "A low horizon divides the canvas; the mill is balanced by a reach of water. " * 16
"""About 1,200 characters, as a formal analysis has."""


@dataclass(frozen=True)
class Speed:
    """What one way of writing took, in a process of its own."""

    name: str
    records: int
    cpu_seconds: float
    size: int
    peak_bytes: int


def measure(records: int, report: Callable[[str], None]) -> list[Speed]:
    """Write so many records in every way, each in a process of its own."""
    return [_apart(name, records, report) for name in _WAYS]


def _apart(name: str, records: int, report: Callable[[str], None]) -> Speed:
    report(f"writing {records:,} records: {name}")
    command = [sys.executable, "-m", "tests.bench.writers", name, str(records)]
    done = subprocess.run(command, check=True, capture_output=True)
    return Speed(**json.loads(done.stdout))


def _entries(records: int) -> Iterator[CatalogEntry]:
    model = factories.full(_TEXT)
    for number in range(records):
        text = f"{number} {_TEXT}"
        wording = replace(model.wording, text=text, sha256=sha256(text.encode()).hexdigest())
        name = f"B-{number:07}"
        yield replace(
            model,
            object=replace(model.object, number=name),
            image=replace(model.image, key=f"{name}.tif"),
            wording=wording,
        )


def _no_file(records: int, _out: BinaryIO) -> None:
    for _ in _entries(records):
        pass


def _ours(name: str) -> Callable[[int, BinaryIO], None]:
    def write(records: int, out: BinaryIO) -> None:
        form = catalog.named(name)
        for _ in catalog.write(_entries(records), out, to=form):
            pass

    return write


def _dict_writer(records: int, out: BinaryIO) -> None:
    text = io.TextIOWrapper(out, encoding="utf-8", newline="")
    writer = csv.DictWriter(text, ["number", "title", "artist", "text", "reviewer", "model"])
    writer.writeheader()
    for entry in _entries(records):
        writer.writerow(
            {
                "number": entry.object.number,
                "title": entry.object.title,
                "artist": entry.object.artist,
                "text": entry.wording.text,
                "reviewer": entry.approval.reviewer,
                "model": entry.release.name,
            }
        )
    text.detach()


def _plain_json(records: int, out: BinaryIO) -> None:
    documents = (json.dumps(asdict(entry), default=str) for entry in _entries(records))
    out.writelines(document.encode() + b"\n" for document in documents)


def _whole_tree(records: int, out: BinaryIO) -> None:
    root = etree.fromstring(lido.BEGIN + lido.END)
    root.extend([lido.record(Bundle.of([entry])) for entry in _entries(records)])
    etree.ElementTree(root).write(out, encoding="utf-8", pretty_print=True)


_WAYS: dict[str, Callable[[int, BinaryIO], None]] = {
    "entries alone": _no_file,
    "csv": _ours("csv"),
    "csv, baseline": _dict_writer,
    "jsonl": _ours("jsonl"),
    "jsonl, baseline": _plain_json,
    "lido": _ours("lido"),
    "lido, baseline": _whole_tree,
    **{name: _ours(name) for name in ("omeka-s", "iiif", "linked-art", "paintingform", "xmp")},
}
"""``entries alone`` makes what the others write, and is in their time."""


def main() -> None:
    """Measure one way in this process, and print it as JSON."""
    name, records = sys.argv[1], int(sys.argv[2])
    with tempfile.TemporaryFile() as out:
        before = time.process_time()
        _WAYS[name](records, out)
        taken, size = time.process_time() - before, out.tell()
    peak = own_peak()
    print(json.dumps(asdict(Speed(name, records, taken, size, peak))))  # noqa: T201  (its answer)


if __name__ == "__main__":
    main()
