"""What it costs to look at the header of every picture of a hand-in, and to number it by that."""

import json
import resource
import tempfile
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from predella import db, storage
from predella.cli.stack import Stack
from predella.models import Collection
from predella.services import submissions
from tests import factories
from tests.bench.journey import forget
from tests.pictures import artworks, picture

_BUCKET = "bench-museum"
_FIELD = "Iptc4xmpExt:ArtworkOrObject/AOSourceInvNo"
_WAYS = {"by their names": "", "by their metadata": _FIELD}
_REST = bytes(200_000)
_THREADS = 8


@dataclass
class Looks:
    """How long dry runs took over so many pictures, and what they cost this process."""

    pictures: int
    seconds: dict[str, float] = field(default_factory=dict)
    cpu_seconds: dict[str, float] = field(default_factory=dict)
    """Of this process and of the one that reads headers."""


def measure(count: int, *, report: Callable[[str], None]) -> Looks:
    """Put so many pictures into a bucket, and try them out as a hand-in without a manifest."""
    looks = Looks(count)
    with (
        tempfile.TemporaryDirectory(prefix="predella-bench-") as home,
        pytest.MonkeyPatch.context() as environment,
    ):
        environment.setenv("PREDELLA_HOME", home)
        forget()
        extra = {
            "PREDELLA_SOURCE_BUCKETS": json.dumps([_BUCKET]),
            "PREDELLA_LOG_LEVEL": "warning",
        }
        with Stack(Path(home), report=report, extra=extra) as stack:
            stack.start_services()
            report(f"uploading {count:,} pictures")
            _upload(count)
            for way, number_field in _WAYS.items():
                report(f"numbering them {way}")
                _try_out(looks, way, number_field)
        forget()
    return looks


def _upload(count: int) -> None:
    store = storage.store()
    store.make_bucket(_BUCKET)

    def put(number: int) -> None:
        body = picture("JPEG", xmp=artworks(f"B-{number:07}")) + _REST
        store.put(_BUCKET, f"{number:07}.jpg", body, media_type="image/jpeg")

    with ThreadPoolExecutor(_THREADS) as pool:
        deque(pool.map(put, range(count)), maxlen=0)


def _try_out(looks: Looks, way: str, number_field: str) -> None:
    began, cpu = time.monotonic(), _cpu_seconds()
    with db.transaction() as session:
        within: Collection = factories.collection(session, bucket=_BUCKET, prefix="")
        tried = submissions.dry_run(
            session,
            within,
            account=factories.account(session),
            source=f"s3://{_BUCKET}/",
            store=storage.store(),
            number_field=number_field,
        )
    assert tried.accepted == looks.pictures, tried
    looks.seconds[way] = time.monotonic() - began
    looks.cpu_seconds[way] = _cpu_seconds() - cpu


def _cpu_seconds() -> float:
    used = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)
