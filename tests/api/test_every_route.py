"""Who may open which route: the table in the documentation, tried out."""

import re
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient

from predella import ids
from predella.models import Role
from tests.api.conftest import Acting

_DOCS = Path(__file__).parents[2] / "docs" / "accounts.md"
_ANYBODY, _EVERYBODY = "anybody", "everybody signed in"

Route = tuple[str, str]


def _documented() -> dict[Route, str]:
    rows = re.findall(r"^\| `([A-Z]+) (/\S*)` \| (.+?) \|$", _DOCS.read_text(), re.MULTILINE)
    return {(method, path): who for method, path, who in rows}


def _routes(app: FastAPI) -> Iterator[Route]:
    for route in iter_route_contexts(app.routes):
        for method in route.methods or ["ANY"]:
            yield method, str(route.path)


def _who(app: FastAPI, acting: Acting, stranger: TestClient) -> dict[Route, str]:
    """Return the table as it should be, by asking every route as everybody."""
    clients = {role.value: acting(role, name=role.value) for role in Role}
    found = {}
    for method, path in sorted(_routes(app), key=lambda route: (route[1], route[0])):
        if not _is_denied(stranger, method, path):
            found[method, path] = _ANYBODY
            continue
        let_in = [role for role, client in clients.items() if not _is_denied(client, method, path)]
        found[method, path] = _EVERYBODY if len(let_in) == len(Role) else ", ".join(let_in)
    return found


def _is_denied(client: TestClient, method: str, path: str) -> bool:
    there_is_no_such = re.sub(r"\{\w+(:\w+)?\}", str(ids.new()), path)
    answer = client.request(
        method,
        there_is_no_such,
        json={} if method in {"POST", "PUT", "PATCH"} else None,
        follow_redirects=False,
    )
    assert answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR or "readyz" in path, answer.text
    if answer.status_code == HTTPStatus.FORBIDDEN:
        return bool(answer.json()["type"] == "/problems/permission-denied")
    # The answer of a route that asks for a password itself is a page.
    return (
        answer.status_code == HTTPStatus.UNAUTHORIZED
        and answer.headers["Content-Type"] == "application/problem+json"
    )


@pytest.fixture
def who(app: FastAPI, acting: Acting, stranger: TestClient) -> dict[Route, str]:
    return _who(app, acting, stranger)


class TestEveryRoute:
    def test_lets_in_whom_the_documentation_names_and_nobody_else(
        self, who: dict[Route, str]
    ) -> None:
        rows = "\n".join(
            f"| `{method} {path}` | {roles} |" for (method, path), roles in who.items()
        )

        assert _documented() == who, f"the table in docs/accounts.md has to read:\n{rows}"
