from http import HTTPStatus
from uuid import UUID

from fastapi.testclient import TestClient
from structlog.typing import EventDict


class TestRequests:
    def test_every_answer_has_an_id_and_safe_headers(self, stranger: TestClient) -> None:
        for path in ("/livez", "/v1/me", "/nowhere"):
            headers = stranger.get(path).headers

            assert UUID(headers["x-request-id"])
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["cache-control"] == "no-store"

    def test_one_log_line_tells_who_asked_for_what(
        self, admin: TestClient, log_lines: list[EventDict]
    ) -> None:
        response = admin.get("/v1/collections?limit=1")

        (line,) = (line for line in log_lines if line["event"] == "request")
        assert line["request_id"] == response.headers["x-request-id"]
        assert line["method"] == "GET"
        assert line["path"] == "/v1/collections"
        assert line["status"] == HTTPStatus.OK
        assert line["account"] == "admin"
        assert line["milliseconds"] > 0

    def test_no_log_line_holds_a_token(self, admin: TestClient, log_lines: list[EventDict]) -> None:
        secret = admin.headers["authorization"].removeprefix("Bearer ")

        admin.get(f"/v1/collections?token={secret}")

        assert log_lines
        assert secret not in str(log_lines)
