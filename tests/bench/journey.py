"""The whole way of many small pictures, one stage after the other, each measured alone."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import pytest
from sqlalchemy import ColumnElement, func, select

from predella import db, storage
from predella.cli.stack import Stack
from predella.models import Item, ItemState, Role, Stage
from predella.services import accounts
from predella.settings import get_settings
from tests.bench import oracle, pictures
from tests.bench.client import Client
from tests.bench.memory import Memory

_BUCKET = "bench-museum"
_AT_ONCE = 500
_BATCH_SIZE = "64"
_WARM = 8


@dataclass
class Findings:
    """What the journey took, and what was wrong at its end."""

    items: int
    seconds: dict[str, float] = field(default_factory=dict)
    peaks: dict[str, int] = field(default_factory=dict)
    objections: list[str] = field(default_factory=list)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        self.seconds[name] = time.monotonic() - started


def travel(home: Path, count: int, *, report: Callable[[str], None]) -> Findings:
    """Send so many pictures through a stack of their own.

    The model worker comes last, so that no stage is measured in another's shadow; the stack
    is started twice for that, on the same home.
    """
    findings = Findings(count)
    extra = {
        "PREDELLA_SOURCE_BUCKETS": json.dumps([_BUCKET]),
        "PREDELLA_BATCH_SIZE": _BATCH_SIZE,
        "PREDELLA_LOG_LEVEL": "warning",
    }
    with pytest.MonkeyPatch.context() as environment, Memory() as memory:
        environment.setenv("PREDELLA_HOME", str(home))
        forget()
        with Stack(home, report=report, extra=extra | {"PREDELLA_ENGINE": "auto"}) as stack:
            stack.start_services()
            token = _token()
            with findings.stage("upload"):
                pictures.upload(storage.store(), f"s3://{_BUCKET}/pictures/", range(count))
            pictures.upload(storage.store(), f"s3://{_BUCKET}/warm/", range(count, count + _WARM))
            stack.start_apps()
            client = Client(stack.address, token)
            _warm_up(client)
            collection = _open(client, "bench", prefix="pictures/")
            with findings.stage("receive"):
                _hand_in(client, collection, f"s3://{_BUCKET}/pictures/manifest.csv")
            with findings.stage("prepare"):
                _until(Item.stage == Stage.ANALYZE, count + _WARM)
        with Stack(home, report=report, extra=extra | {"PREDELLA_ENGINE": "trivial"}) as stack:
            forget()
            stack.start_services()
            stack.start_apps()
            client = Client(stack.address, token)
            _until(Item.state == ItemState.DONE, _WARM)
            with findings.stage("analyze"):
                _until(Item.state == ItemState.DONE, count + _WARM)
            with findings.stage("approve"):
                _approve(client, collection)
            with findings.stage("export"):
                export = _export(client, collection)
            with findings.stage("validate"):
                findings.objections = oracle.objections(count, export, besides=_WARM)
    findings.peaks = memory.peaks
    return findings


def forget() -> None:
    """The services have other connections, perhaps other ports, after a restart."""
    for cached in (get_settings, db.engine, db._session_factory, storage.store):
        cached.cache_clear()


def _token() -> str:
    with db.transaction() as session:
        account = accounts.add(session, name="bench", display_name="Bench", roles=[*Role])
        _, token = accounts.issue_token(session, account, name="bench")
        return token


def _warm_up(client: Client) -> None:
    """Return when the workers are there: their start is no part of any stage."""
    warm = _open(client, "warm-up", prefix="warm/")
    _hand_in(client, warm, f"s3://{_BUCKET}/warm/manifest.csv")
    _until(Item.stage == Stage.ANALYZE, _WARM)


def _open(client: Client, slug: str, *, prefix: str) -> str:
    made = client.post(
        "/v1/collections",
        {"slug": slug, "name": slug, "institution": slug, "bucket": _BUCKET, "prefix": prefix},
    )
    return str(made["id"])


def _hand_in(client: Client, collection_id: str, source: str) -> None:
    made = client.post(f"/v1/collections/{collection_id}/submissions", {"source": source})
    while made["state"] == "receiving":
        time.sleep(0.2)
        made = client.get(f"/v1/submissions/{made['id']}")


def _until(true: ColumnElement[bool], count: int) -> None:
    while True:
        with db.transaction() as session:
            if (session.scalar(select(func.count()).where(true)) or 0) >= count:
                return
        time.sleep(0.2)


def _approve(client: Client, collection_id: str) -> None:
    pages = client.pages("/v1/analyses", collection_id=collection_id, state="needs_review")
    analyses = [analysis for page in pages for analysis in page]
    waiting = iter(analyses)
    while chunk := list(islice(waiting, _AT_ONCE)):
        decisions = [
            {"analysis_id": one["id"], "revision": one["revision"], "decision": "approved"}
            for one in chunk
        ]
        client.post("/v1/decisions:batch", {"decisions": decisions})


def _export(client: Client, collection_id: str) -> bytes:
    made = client.post("/v1/exports", {"collection_id": collection_id, "format": "lido"})
    client.wait(made["id"])
    return client.read(f"/v1/exports/{made['id']}/file")
