from http import HTTPStatus

from fastapi.testclient import TestClient

from api.desk import static_files


class TestStaticFile:
    def test_is_kept_for_ever_at_the_address_of_its_content(self, stranger: TestClient) -> None:
        answer = stranger.get(static_files.address("desk.css"))

        assert answer.status_code == HTTPStatus.OK
        assert answer.headers["Content-Type"].startswith("text/css")
        assert "immutable" in answer.headers["Cache-Control"]

    def test_is_not_kept_at_the_address_of_an_older_release(self, stranger: TestClient) -> None:
        answer = stranger.get("/static/000000000000/desk.css")

        assert answer.status_code == HTTPStatus.OK
        assert "immutable" not in answer.headers["Cache-Control"]

    def test_never_leaves_its_folder(self, stranger: TestClient) -> None:
        answer = stranger.get("/static/000000000000/..%2f..%2fmain.py")

        assert answer.status_code == HTTPStatus.NOT_FOUND
