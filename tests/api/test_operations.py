import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from threading import Timer
from typing import Any
from uuid import UUID

import fastapi.routing
import httpx2
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, text

from predella import db, ids
from predella.models import Item, Role
from predella.settings import Settings
from tests import factories
from tests.api.conftest import Acting, token
from tests.api.problems import problem
from tests.api.server import serving


@pytest.fixture
def work(settings: Settings) -> UUID:
    """A submission with two items that wait."""
    assert settings
    with db.transaction() as session:
        submission = factories.submission(session)
        factories.item(session, submission)
        factories.item(session, submission)
        return submission.id


def _finish(submission_id: UUID, *, items: int) -> None:
    with db.transaction() as session:
        waiting = select(Item).filter_by(submission_id=submission_id, state="waiting")
        for item in session.scalars(waiting.limit(items)).all():
            factories.analysis(session, item)


class TestGetOperation:
    def test_shows_how_far_a_submission_is(self, curator: TestClient, work: UUID) -> None:
        _finish(work, items=1)

        operation = curator.get(f"/v1/operations/{work}").json()

        assert operation["kind"] == "submission"
        assert operation["state"] == "running"
        assert (operation["done"], operation["total"], operation["percent"]) == (1, 2, 50)
        assert operation["subject"] == f"/v1/submissions/{work}"

    def test_shows_how_far_an_export_is(self, curator: TestClient) -> None:
        with db.transaction() as session:
            export_id = factories.export(session).id

        operation = curator.get(f"/v1/operations/{export_id}").json()

        assert (operation["kind"], operation["state"]) == ("export", "running")
        assert operation["subject"] == f"/v1/exports/{export_id}"

    def test_404_for_an_unknown_one(self, curator: TestClient) -> None:
        for path in ("", "/events"):
            response = curator.get(f"/v1/operations/{ids.new()}{path}")

            problem(response, HTTPStatus.NOT_FOUND)


Events = Iterator[tuple[str, str, Any]]


@contextmanager
def _following(address: str, work: UUID, secret: str, **headers: str) -> Iterator[Events]:
    """Yield the events of a piece of work: name, id, data."""
    headers = {"Authorization": f"Bearer {secret}", **headers}
    url = f"{address}/v1/operations/{work}/events"
    with httpx2.stream("GET", url, headers=headers, timeout=20) as response:
        assert response.status_code == HTTPStatus.OK
        assert response.headers["content-type"].startswith("text/event-stream")
        yield _events(response.iter_lines())


def _events(lines: Iterator[str]) -> Events:
    fields: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif "event" in fields:
            yield fields["event"], fields["id"], json.loads(fields["data"])
            fields = {}


def _open_transactions() -> int:
    query = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND state LIKE 'idle in transaction%'"
    )
    with db.transaction() as session:
        return session.scalar(query) or 0


class TestWatchOperation:
    """In a server of its own: the test client would wait for the end of every answer."""

    def test_follows_the_work_to_its_end(self, work: UUID, tmp_path: Path) -> None:
        secret = token(Role.CURATOR)

        with serving(tmp_path / "log") as address, _following(address, work, secret) as events:
            first = next(events)
            _finish(work, items=1)
            second = next(events)
            _throw_everybody_out()
            _finish(work, items=1)
            rest = list(events)

        assert (first[0], first[2]["done"], first[2]["total"]) == ("progress", 0, 2)
        assert (second[0], second[2]["done"], second[2]["percent"]) == ("progress", 1, 50)
        assert [(name, data["state"]) for name, _id, data in rest] == [("ended", "succeeded")]

    def test_goes_on_where_a_broken_stream_was(self, work: UUID, tmp_path: Path) -> None:
        secret = token(Role.CURATOR)

        with serving(tmp_path / "log") as address:
            with _following(address, work, secret) as events:
                _name, seen, _data = next(events)
            with _following(address, work, secret, **{"Last-Event-ID": seen}) as events:
                _finish(work, items=1)
                name, newer, data = next(events)

        assert (name, data["done"]) == ("progress", 1)
        assert newer != seen

    def test_holds_no_transaction_open_between_two_looks(self, work: UUID, tmp_path: Path) -> None:
        secret = token(Role.CURATOR)

        with serving(tmp_path / "log") as address, _following(address, work, secret) as events:
            next(events)
            time.sleep(0.3)
            assert _open_transactions() == 0

    def test_tells_the_end_again_to_whoever_comes_late(
        self, curator: TestClient, work: UUID
    ) -> None:
        _finish(work, items=2)

        for headers in ({}, {"Last-Event-ID": "2.2.0"}):
            answer = curator.get(f"/v1/operations/{work}/events", headers=headers)

            ((name, _id, data),) = _events(iter(answer.text.split("\n")))
            assert (name, data["state"]) == ("ended", "succeeded")

    def test_comments_keep_a_silent_stream_open(
        self, curator: TestClient, work: UUID, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(fastapi.routing, "_PING_INTERVAL", 0.1)
        soon = Timer(0.5, _finish, args=[work], kwargs={"items": 2})
        soon.start()

        answer = curator.get(f"/v1/operations/{work}/events")

        soon.join()
        assert ": ping\n\n" in answer.text

    def test_needs_a_token_before_the_stream_begins(
        self, stranger: TestClient, acting: Acting, work: UUID
    ) -> None:
        path = f"/v1/operations/{work}/events"

        problem(stranger.get(path), HTTPStatus.UNAUTHORIZED)
        assert acting(Role.DIGITIZER).get(f"/v1/operations/{work}").status_code == HTTPStatus.OK


def _throw_everybody_out() -> None:
    """End every connection but ours, as a restart of the database does."""
    with db.transaction() as session:
        session.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
