from http import HTTPStatus
from typing import Any

from httpx2 import Response


def problem(response: Response, status: HTTPStatus) -> dict[str, Any]:
    """Return the problem that an answer tells of, after checking its form."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    assert body["request_id"] == response.headers["x-request-id"]
    return body
