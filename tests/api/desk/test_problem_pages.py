from http import HTTPStatus

from fastapi.testclient import TestClient

from api.main import create_app
from predella import db, ids
from predella.models import Role
from predella.services import preferences, sessions
from predella.settings import Settings
from tests import factories

_BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


class TestSuited:
    def test_tells_a_browser_which_role_is_missing(self, curator: TestClient) -> None:
        answer = curator.get("/desk/accounts", headers=_BROWSER)

        assert answer.status_code == HTTPStatus.FORBIDDEN
        assert answer.headers["Content-Type"].startswith("text/html")
        assert "<strong>Admin</strong>" in answer.text

    def test_gives_a_browser_the_id_of_its_request(self, curator: TestClient) -> None:
        answer = curator.get(f"/desk/exports/{ids.new()}", headers=_BROWSER)

        assert answer.status_code == HTTPStatus.NOT_FOUND
        assert answer.headers["X-Request-ID"] in answer.text

    def test_says_which_field_of_a_form_is_wrong(self, admin: TestClient) -> None:
        answer = admin.post("/desk/submissions", data={"collection_id": "x"}, headers=_BROWSER)

        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert "/collection_id" in answer.text
        assert "your browser has kept what you typed" in answer.text

    def test_leaves_programs_their_json(self, curator: TestClient) -> None:
        for path in ("/desk/accounts", "/v1/accounts"):
            accepted = {} if path.startswith("/desk") else _BROWSER
            answer = curator.get(path, headers=accepted)

            assert answer.headers["Content-Type"] == "application/problem+json"

    def test_shows_a_bug_as_a_page_that_tells_nothing_of_the_inside(
        self, settings: Settings
    ) -> None:
        assert settings
        app = create_app()

        @app.get("/desk/broken")
        def _fail() -> None:
            raise RuntimeError("password is hunter2")

        answer = TestClient(app).get("/desk/broken", headers=_BROWSER)

        assert answer.status_code == HTTPStatus.INTERNAL_SERVER_ERROR
        assert answer.headers["Content-Type"].startswith("text/html")
        assert answer.headers["X-Request-ID"] in answer.text
        assert "hunter2" not in answer.text

    def test_keeps_the_navigation_and_the_language_of_who_is_signed_in(
        self, stranger: TestClient
    ) -> None:
        with db.transaction() as session:
            ines = factories.account(session, Role.CURATOR)
            preferences.choose(session, ines, {"language": "nl"})
            stranger.cookies.set("predella", sessions.begin(session, ines))
        large = {"Content-Length": str(1 << 40)}

        answers = {
            HTTPStatus.NOT_FOUND: stranger.get("/desk/nowhere", headers=_BROWSER),
            HTTPStatus.FORBIDDEN: stranger.get("/desk/accounts", headers=_BROWSER),
            HTTPStatus.METHOD_NOT_ALLOWED: stranger.put("/desk", headers=_BROWSER),
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE: stranger.post(
                "/desk/submissions", content=b"", headers=_BROWSER | large
            ),
        }

        for status, answer in answers.items():
            assert answer.status_code == status
            assert '<html lang="nl">' in answer.text
            assert 'href="/desk/me"' in answer.text
