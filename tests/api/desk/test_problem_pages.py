from http import HTTPStatus

from fastapi.testclient import TestClient

from predella import ids

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
