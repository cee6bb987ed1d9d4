import json
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from api.idempotency import HEADER, SHOWN_ONCE, Repeatable
from predella import db
from predella.models import Account, Answer, Remark, Role
from predella.services import accounts, answers
from tests import factories
from tests.api import things
from tests.api.conftest import Acting
from tests.api.problems import problem


@pytest.fixture
def remarks(curator: TestClient) -> str:
    """Where something is said about an analysis."""
    assert curator
    with db.transaction() as session:
        return f"/v1/analyses/{factories.analysis(session).id}/remarks"


def _count(model: type[Any]) -> int:
    with db.transaction() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def _named(key: str) -> dict[str, str]:
    return {HEADER: key}


class TestEveryPost:
    def test_is_repeatable_and_says_so_unless_its_answer_is_a_secret(self, app: FastAPI) -> None:
        described = app.openapi()["paths"]
        posts = [
            route.original_route
            for route in iter_route_contexts(app.routes)
            if "POST" in (route.methods or ()) and str(route.path).startswith("/v1/")
        ]
        named = {
            operation["post"]["operationId"]
            for operation in described.values()
            if "post" in operation
            and HEADER in {one["name"] for one in operation["post"].get("parameters", ())}
        }

        assert all(isinstance(route, Repeatable) for route in posts)
        assert named | SHOWN_ONCE == {
            route.name for route in posts if isinstance(route, Repeatable)
        }

    def test_is_known_by_its_key_before_anything_else_is_looked_at(
        self, app: FastAPI, acting: Acting
    ) -> None:
        """Each route finds the key taken for another request: it has asked, and done nothing."""
        every = acting(*Role, name="every")
        with db.transaction() as session:
            account = accounts.by_name(session, "every")
            own = things.put(session, "prints") | {"account_id": str(account.id)}
        made = defaultdict(lambda: str(UUID(int=1)), own)
        every.post("/v1/prompts", json=_PROMPT, headers=_named("taken")).raise_for_status()
        for path, operation in app.openapi()["paths"].items():
            if "post" not in operation or operation["post"]["operationId"] in SHOWN_ONCE:
                continue
            schema = operation["post"].get("requestBody")
            body = _example(app, schema) if schema else None

            refused = every.post(path.format_map(made), json=body, headers=_named("taken"))

            assert problem(refused, HTTPStatus.UNPROCESSABLE_ENTITY)["type"] == (
                "/problems/key-reused"
            ), path


_PROMPT = {"name": "light", "kind": "element", "text": "Describe the light."}


def _example(app: FastAPI, body: dict[str, Any]) -> Any:
    reference = body["content"]["application/json"]["schema"]["$ref"].split("/")[-1]
    return app.openapi()["components"]["schemas"][reference]["examples"][0]


class TestRepeating:
    def test_does_nothing_again_and_answers_as_before(
        self, curator: TestClient, remarks: str
    ) -> None:
        first, again = (
            curator.post(remarks, json={"text": "Is it Ōsaka?"}, headers=_named("a")) for _ in "ab"
        )

        assert (first.status_code, again.status_code) == (HTTPStatus.CREATED, HTTPStatus.CREATED)
        assert again.content == first.content
        assert again.headers["content-type"] == first.headers["content-type"]
        assert again.headers["Idempotency-Replayed"] == "true"
        assert "Idempotency-Replayed" not in first.headers
        assert again.headers["RateLimit"]
        assert again.headers["X-Request-ID"] != first.headers["X-Request-ID"]
        assert _count(Remark) == 1

    def test_without_a_key_it_is_done_twice(self, curator: TestClient, remarks: str) -> None:
        for _ in range(2):
            curator.post(remarks, json={"text": "Again."}).raise_for_status()

        assert _count(Remark) == 2
        assert _count(Answer) == 0

    def test_keeps_the_etag_although_what_was_seen_is_stale_by_then(
        self, approver: TestClient
    ) -> None:
        with db.transaction() as session:
            path = f"/v1/analyses/{factories.analysis(session).id}"
        headers = {"If-Match": approver.get(path).headers["etag"], HEADER: "approve-1"}

        first, again = (approver.post(f"{path}/approval", json={}, headers=headers) for _ in "ab")

        assert first.status_code == again.status_code == HTTPStatus.OK
        assert again.headers["etag"] == first.headers["etag"] == '"r0.1"'

    def test_keeps_where_the_work_is_followed(self, acting: Acting) -> None:
        registrar = acting(Role.REGISTRAR)
        with db.transaction() as session:
            collection_id = factories.collection(session).id
        body = {"collection_id": str(collection_id), "format": "csv"}

        first, again = (
            registrar.post("/v1/exports", json=body, headers=_named("monthly")) for _ in "ab"
        )

        assert first.status_code == again.status_code == HTTPStatus.ACCEPTED
        assert again.headers["location"] == first.headers["location"]

    def test_a_key_is_the_accounts_own(self, acting: Acting, remarks: str) -> None:
        for name in ("jan", "piet"):
            one = acting(Role.CURATOR, name=name)
            one.post(remarks, json={"text": "Mine."}, headers=_named("a")).raise_for_status()

        assert _count(Remark) == 2

    def test_403_for_a_token_that_may_not_do_it(self, acting: Acting, remarks: str) -> None:
        wide = acting(Role.CURATOR, name="mara")
        wide.post(remarks, json={"text": "Mine."}, headers=_named("a")).raise_for_status()
        with db.transaction() as session:
            mara = accounts.by_name(session, "mara")
            secret = accounts.issue_token(
                session, mara, name="narrow", scopes=["collections:read"]
            )[1]

        narrow = wide.post(
            remarks,
            json={"text": "Mine."},
            headers={**_named("a"), "Authorization": f"Bearer {secret}"},
        )

        problem(narrow, HTTPStatus.FORBIDDEN)

    def test_what_was_refused_is_tried_again(self, curator: TestClient, remarks: str) -> None:
        refused = curator.post(remarks, json={"text": " "}, headers=_named("a"))
        problem(refused, HTTPStatus.UNPROCESSABLE_ENTITY)

        done = curator.post(remarks, json={"text": "Now."}, headers=_named("a"))

        assert done.status_code == HTTPStatus.CREATED
        assert "Idempotency-Replayed" not in done.headers

    def test_409_while_the_first_is_still_being_done(
        self, curator: TestClient, remarks: str
    ) -> None:
        with db.transaction() as session:
            account = session.scalars(select(Account).filter_by(name="curator")).one()
            assert answers.take(session, account, "a") is None
            meanwhile = curator.post(remarks, json={"text": "Once."}, headers=_named("a"))

        assert problem(meanwhile, HTTPStatus.CONFLICT)["type"] == "/problems/still-running"
        assert meanwhile.headers["retry-after"] == "1"
        after = curator.post(remarks, json={"text": "Once."}, headers=_named("a"))
        assert after.status_code == HTTPStatus.CREATED

    def test_many_at_once_do_it_once(self, curator: TestClient, remarks: str) -> None:
        def post(_: int) -> int:
            return curator.post(remarks, json={"text": "Once."}, headers=_named("a")).status_code

        with ThreadPoolExecutor(8) as pool:
            answered = set(pool.map(post, range(16)))

        assert answered <= {HTTPStatus.CREATED, HTTPStatus.CONFLICT}
        assert _count(Remark) == 1

    def test_422_for_the_key_of_another_request(self, curator: TestClient, remarks: str) -> None:
        curator.post(remarks, json={"text": "One."}, headers=_named("a")).raise_for_status()

        other = curator.post(remarks, json={"text": "Two."}, headers=_named("a"))

        assert problem(other, HTTPStatus.UNPROCESSABLE_ENTITY)["type"] == "/problems/key-reused"
        assert _count(Remark) == 1

    @pytest.mark.parametrize("key", [b"", b"k" * 256, "clé".encode(), b"a\tb"])
    def test_422_for_a_key_of_another_form(
        self, curator: TestClient, remarks: str, key: bytes
    ) -> None:
        body = json.dumps({"text": "One."})
        headers = {HEADER.encode(): key, b"Content-Type": b"application/json"}

        response = curator.post(remarks, content=body, headers=headers)

        assert "1 to 255" in problem(response, HTTPStatus.UNPROCESSABLE_ENTITY)["detail"]

    def test_a_secret_is_kept_nowhere(self, admin: TestClient) -> None:
        account = admin.get("/v1/me").json()["account"]["id"]

        refused = admin.post(
            f"/v1/accounts/{account}/tokens", json={"name": "ci"}, headers=_named("a")
        )

        assert "secret" in problem(refused, HTTPStatus.UNPROCESSABLE_ENTITY)["detail"]
        assert _count(Answer) == 0
