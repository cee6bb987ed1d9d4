import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from api.dependencies import DbSession
from api.errors import kind_of
from api.main import create_app
from predella import errors, ids
from predella.models import Role
from tests.api.conftest import Acting
from tests.api.faults import database_away
from tests.api.problems import problem
from tests.services import UrlOf

_DOCS = Path(__file__).parents[2] / "docs" / "api.md"


def _doing(act: Callable[[Session], None]) -> TestClient:
    """Return a client of an application with one more route, ``POST /test``."""
    app = create_app()

    @app.post("/test")
    def _test(session: DbSession) -> dict[str, str]:
        act(session)
        return {}

    return TestClient(app)


class TestKindOf:
    def test_is_the_name_in_words(self) -> None:
        assert kind_of(errors.StaleRevisionError) == "/problems/stale-revision"

    def test_the_documentation_names_kinds_that_there_are(self) -> None:
        documented = set(re.findall(r"`(/problems/\S+)`", _DOCS.read_text()))

        known = {kind_of(kind) for kind in _kinds(errors.PredellaError)}
        assert documented - known == {"/problems/invalid-request"}


def _kinds(kind: type[errors.PredellaError]) -> Iterator[type[errors.PredellaError]]:
    yield kind
    for narrower in kind.__subclasses__():
        yield from _kinds(narrower)


class TestProblems:
    def test_401_without_a_token_says_what_to_send(self, stranger: TestClient) -> None:
        response = stranger.get("/v1/collections")

        body = problem(response, HTTPStatus.UNAUTHORIZED)
        assert response.headers["www-authenticate"] == 'Bearer realm="predella"'
        assert "Authorization: Bearer" in body["detail"]

    def test_401_with_another_scheme_or_a_foreign_token(self, stranger: TestClient) -> None:
        for header in (b"Basic aW5lczp4", b"Bearer", b"Bearer eyJhbGciOi", b"Bearer predella_\xf6"):
            headers = {b"Authorization": header}
            problem(stranger.get("/v1/me", headers=headers), HTTPStatus.UNAUTHORIZED)

    def test_403_names_the_scope_that_is_missing(self, acting: Acting) -> None:
        response = acting(Role.CURATOR).post("/v1/accounts", json={})

        body = problem(response, HTTPStatus.FORBIDDEN)
        assert body["type"] == "/problems/permission-denied"
        assert body["scope"] == "accounts:write"
        assert 'scope="accounts:write"' in response.headers["www-authenticate"]

    def test_404_for_a_thing_and_for_a_path(self, admin: TestClient) -> None:
        unknown = ids.new()

        thing = problem(admin.get(f"/v1/collections/{unknown}"), HTTPStatus.NOT_FOUND)
        path = problem(admin.get("/v2/anything"), HTTPStatus.NOT_FOUND)

        assert thing["type"] == "/problems/not-found"
        assert thing["detail"] == f"no collection {unknown}"
        assert path["type"] == "about:blank"

    def test_405_says_what_is_allowed(self, admin: TestClient) -> None:
        response = admin.put("/v1/collections", json={})

        problem(response, HTTPStatus.METHOD_NOT_ALLOWED)
        assert "GET" in response.headers["allow"]

    def test_409_for_what_a_colleague_holds_says_who_and_until_when(self) -> None:
        until = datetime(2026, 11, 29, 9, 51, tzinfo=UTC)

        def refuse(_session: Session) -> None:
            raise errors.ClaimedError(ids.new(), colleague="Inês Example", until=until)

        body = problem(_doing(refuse).post("/test"), HTTPStatus.CONFLICT)

        assert body["type"] == "/problems/claimed"
        assert body["colleague"] == "Inês Example"
        assert datetime.fromisoformat(body["until"]) == until

    def test_409_for_what_cannot_have_been_read_yet_says_how_long_to_wait(self) -> None:
        def refuse(_session: Session) -> None:
            raise errors.TooSoonError(ids.new(), wait=3.25)

        response = _doing(refuse).post("/test")

        body = problem(response, HTTPStatus.CONFLICT)
        assert (body["type"], body["wait"]) == ("/problems/too-soon", 3.25)
        assert response.headers["retry-after"] == "4"

    def test_409_for_a_name_that_is_taken(self, admin: TestClient) -> None:
        account = {"name": "mara", "display_name": "Mara", "roles": ["curator"]}
        admin.post("/v1/accounts", json=account)

        body = problem(admin.post("/v1/accounts", json=account), HTTPStatus.CONFLICT)

        assert body["type"] == "/problems/name-taken"

    def test_413_before_reading_what_is_announced_as_too_large(self, admin: TestClient) -> None:
        headers = {"content-length": str(1 << 40), "content-type": "application/json"}

        response = admin.post("/v1/accounts", content=b"{}", headers=headers)

        problem(response, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)

    def test_413_while_reading_what_was_not_announced(self, admin: TestClient) -> None:
        endless = (b" " * 65536 for _ in range(200))

        response = admin.post("/v1/accounts", content=endless)

        problem(response, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)

    def test_422_points_at_each_part_and_repeats_nothing_that_was_sent(
        self, admin: TestClient
    ) -> None:
        sent = {"name": "mara", "roles": ["curater"], "a/b~c": "hunter2"}

        response = admin.post("/v1/accounts", json=sent)

        body = problem(response, HTTPStatus.UNPROCESSABLE_ENTITY)
        assert [(part["in"], part["pointer"]) for part in body["errors"]] == [
            ("body", "/display_name"),
            ("body", "/roles/0"),
            ("body", "/a~1b~0c"),
        ]
        assert "hunter2" not in response.text
        assert "curater" not in response.text

    def test_4xx_for_anything_that_is_not_such_a_body(self, admin: TestClient) -> None:
        nested = b"[" * 100_000
        for content in (b"", b"{", b"\xff\xfe", b"[]", b'{"name": "\\ud800"}', b"null", nested):
            response = admin.post("/v1/accounts", content=content)

            assert response.status_code in {
                HTTPStatus.BAD_REQUEST,
                HTTPStatus.UNPROCESSABLE_ENTITY,
            }
            problem(response, HTTPStatus(response.status_code))

    def test_422_for_a_character_that_the_database_cannot_hold(self, admin: TestClient) -> None:
        account = {"name": "mara", "display_name": "Ma\0ra", "roles": ["curator"]}

        response = admin.post("/v1/accounts", json=account)

        assert problem(response, HTTPStatus.UNPROCESSABLE_ENTITY)["errors"][0]["pointer"] == (
            "/display_name"
        )

    @pytest.mark.usefixtures("settings")
    def test_500_tells_nothing_of_the_inside(self) -> None:
        def fail(_session: Session) -> None:
            raise RuntimeError("password is hunter2")

        response = _doing(fail).post("/test")

        body = problem(response, HTTPStatus.INTERNAL_SERVER_ERROR)
        assert "hunter2" not in response.text
        assert "request id" in body["detail"]

    def test_503_while_the_database_is_away(self, admin: TestClient, postgres: UrlOf) -> None:
        with database_away(postgres):
            response = admin.get("/v1/collections")

        body = problem(response, HTTPStatus.SERVICE_UNAVAILABLE)
        assert response.headers["retry-after"] == "5"
        assert "database" in body["detail"]
        assert "port" not in body["detail"]


@pytest.mark.usefixtures("settings")
class TestDatabaseSession:
    def test_a_commit_that_fails_never_answers_with_success(self) -> None:
        def break_at_commit(session: Session) -> None:
            session.execute(
                text(
                    "CREATE TEMP TABLE pair (id int PRIMARY KEY, "
                    "other int REFERENCES pair DEFERRABLE INITIALLY DEFERRED) ON COMMIT DROP"
                )
            )
            session.execute(text("INSERT INTO pair VALUES (1, 2)"))

        response = _doing(break_at_commit).post("/test")

        problem(response, HTTPStatus.INTERNAL_SERVER_ERROR)

    def test_what_was_done_before_an_error_is_undone(self, admin: TestClient) -> None:
        def write_and_fail(session: Session) -> None:
            session.execute(text("UPDATE token SET revoked_at = now()"))
            raise errors.ConflictError("not now")

        response = _doing(write_and_fail).post("/test")

        problem(response, HTTPStatus.CONFLICT)
        assert admin.get("/v1/me").status_code == HTTPStatus.OK
