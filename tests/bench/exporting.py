"""What whole exports take, out of Postgres and into the object store, on one core.

Each runs in a process of its own, as a worker writes it: read, checked against the gates,
written, uploaded, and remembered line by line under the guard of the database. Database, store
and worker share one core. The baseline asks the ORM for all approved texts at once and puts
them as JSON Lines into the store; it knows no gates and remembers nothing.
"""

import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import create_engine, select, text

from predella import db, storage
from predella.cli.stack import Stack
from predella.embedded.home import Home
from predella.embedded.postgres import Postgres
from predella.ids import CollectionId, ExportId
from predella.models import (
    Account,
    Analysis,
    Collection,
    Decision,
    ExportFormat,
    Item,
    Release,
    Review,
    Revision,
)
from predella.services import exporting, exports
from predella.settings import get_settings
from tests import factories
from tests.bench.journey import forget
from tests.bench.memory import own_peak
from tests.bench.review import fill, server
from tests.services import sqlalchemy_url

_BASELINE = "jsonl, baseline"
_NOTHING_FOR = ExportFormat.COLLECTIONSPACE_MEDIA
"""It takes alternative texts alone."""
_WAYS = (_BASELINE, *(one.value for one in ExportFormat if one is not _NOTHING_FOR))

_APPROVE = """
SET session_replication_role = replica;
DELETE FROM review;
INSERT INTO review (id, created_at, analysis_id, number, revision_id, revision_sha256, account_id,
    decision, client)
SELECT gen_random_uuid(), now(), analysis_id, 1, id, sha256, :account, 'approved', 'desk'
FROM revision;
UPDATE standing SET state = 'approved';
UPDATE object_gate SET rights_work = :rights;
VACUUM ANALYZE
"""


@dataclass(frozen=True)
class Export:
    """What one export took, in a process of its own."""

    name: str
    records: int
    seconds: float
    size: int
    peak_bytes: int


def measure(records: int, *, report: Callable[[str], None]) -> list[Export]:
    """Export so many approved texts in every format, all on one core."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with (
        tempfile.TemporaryDirectory(prefix="predella-bench-") as home,
        pytest.MonkeyPatch.context() as environment,
    ):
        environment.setenv("PREDELLA_HOME", home)
        environment.setenv("PREDELLA_PUBLIC_URL", "https://museum.example")
        forget()
        with Stack(Path(home), report=report) as stack:
            stack.start_services()
            report(f"filling a database with {records:,} approved texts")
            named = _filled(Home(Path(home)), records)
            return [_apart(way, named, report) for way in _WAYS]


def _filled(home: Home, records: int) -> tuple[UUID, UUID]:
    url = sqlalchemy_url(_own(home))
    engine = create_engine(url)
    within, account = fill(engine, records, words=factories.TEXT * 2)
    engine.dispose()
    with server(url) as connection:
        for statement in _APPROVE.split(";\n"):
            named = {"account": account, "rights": factories.PUBLIC_DOMAIN}
            used = {name: value for name, value in named.items() if f":{name}" in statement}
            connection.execute(text(statement), used)
    return within, account


def _own(home: Home) -> str:
    """Return where the database is for its owner, who alone may fill it without triggers."""
    service = get_settings().database_url.get_secret_value()
    own = Postgres(home)
    own._port = int(service.rpartition(":")[2].partition("/")[0])
    return own.url("predella")


def _apart(name: str, named: tuple[UUID, UUID], report: Callable[[str], None]) -> Export:
    report(f"exporting: {name}")
    command = [sys.executable, "-m", "tests.bench.exporting", name, *map(str, named)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return Export(**json.loads(done.stdout))


def _export(name: str, within: UUID, account: UUID) -> tuple[int, int]:
    """Write an export as a worker does; return its lines and its bytes."""
    with db.transaction() as session:
        collection = session.get_one(Collection, within)
        by = session.get_one(Account, account)
        made = exports.create(session, collection, account=by, format=ExportFormat(name))
        lease = exports.take(session, made)
    exporting.write(lease, storage.store())
    with db.transaction() as session:
        written = exports.get(session, ExportId(lease.id))
        return written.line_count, written.size or 0


def _baseline(within: UUID, _account: UUID) -> tuple[int, int]:
    query = (
        select(Item, Analysis, Revision, Review, Release)
        .join(Analysis, Analysis.id == Item.analysis_id)
        .join(Release, Release.id == Analysis.release_id)
        .join(Review, Review.analysis_id == Analysis.id)
        .join(Revision, Revision.id == Review.revision_id)
        .where(Item.collection_id == within, Review.decision == Decision.APPROVED)
    )
    with db.transaction() as session:
        rows = session.execute(query).all()
        lines = [
            {
                "object_number": item.object_number,
                "title": item.title,
                "artist": item.artist,
                "text": revision.text,
                "approved_at": review.created_at.isoformat(),
                "model": release.model_name,
            }
            for item, _, revision, review, release in rows
        ]
    data = "".join(json.dumps(line) + "\n" for line in lines).encode()
    bucket = get_settings().bucket
    storage.store().put(bucket, "exports/baseline.jsonl", io.BytesIO(data), media_type="text/plain")
    return len(lines), len(data)


def main() -> None:
    """Write one export in this process, and print what it took as JSON."""
    name, within, account = sys.argv[1], CollectionId(UUID(sys.argv[2])), UUID(sys.argv[3])
    began = time.perf_counter()
    if name == _BASELINE:
        records, size = _baseline(within, account)
    else:
        records, size = _export(name, within, account)
    taken = time.perf_counter() - began
    peak = own_peak()
    print(json.dumps(asdict(Export(name, records, taken, size, peak))))  # noqa: T201  (its answer)


if __name__ == "__main__":
    main()
