"""How long a large hand-in takes, and how much memory."""

import resource
import sys
import time
from collections.abc import Iterator
from typing import BinaryIO

from predella import db
from predella.ids import SubmissionId
from predella.models import SubmissionState
from predella.services import receiving
from predella.services.submissions import get
from predella.storage import ObjectVersion
from tests import factories
from tests.pictures import tiny

_HEADER = b"object_number,filename,title,artist,date,medium,rights_work,room\n"
_ROW = (
    "SK-A-{0},{1:04d}/{0:07d}.jpg,Landscape number {0},Someone of Somewhere,c. 1660,"
    "oil on canvas,http://rightsstatements.org/vocab/NoC-US/1.0/,{2}\n"
)
_PICTURE = tiny()


class Listing:
    """A store that holds as many images as a manifest names, without having them."""

    def __init__(self, rows: int) -> None:
        self._rows = rows

    def list(self, bucket: str, prefix: str) -> Iterator[ObjectVersion]:
        for row in range(self._rows):
            key = f"{prefix}{row // 1000:04d}/{row:07d}.jpg"
            yield ObjectVersion(bucket, key, 1_000, f"{row:032x}")

    def exists(self, _bucket: str, _key: str) -> bool:
        return False

    def head(self, bucket: str, key: str) -> ObjectVersion:
        return ObjectVersion(bucket, key, 1, "manifest")

    def read_piece(self, pinned: ObjectVersion, start: int, length: int) -> bytes:
        return _PICTURE.ljust(pinned.size, b"\0")[start : start + length]

    def copy_pinned(self, _pinned: ObjectVersion, out: BinaryIO, *, max_bytes: int) -> None:
        assert max_bytes
        out.write(_HEADER)
        out.writelines(
            _ROW.format(row, row // 1000, row % 40).encode() for row in range(self._rows)
        )


def measure(rows: int) -> dict[str, float]:
    """Receive a hand-in of so many rows; return rows per second and megabytes added."""
    with db.transaction() as session:
        within = factories.collection(session, bucket="bench", prefix="bench/")
        made = factories.submission(
            session, within, state=SubmissionState.RECEIVING, received_at=None
        )
        submission_id = SubmissionId(made.id)
    before, began = _peak_megabytes(), time.monotonic()
    with db.transaction() as session:
        report = receiving.receive(session, get(session, submission_id), Listing(rows))
    assert report.accepted == rows
    seconds = time.monotonic() - began
    return {"rows_per_second": rows / seconds, "megabytes_added": _peak_megabytes() - before}


def _peak_megabytes() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1024 if sys.platform == "linux" else peak / 1024 / 1024
