import re
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient
from httpx2 import Response

from predella import ids
from predella.models import Role
from predella.services import accounts
from tests.api.conftest import Acting
from tests.api.problems import problem

_DOCS = Path(__file__).parents[2] / "docs" / "api.md"

Access = dict[tuple[str, str], str]
"""What is needed, by method and path: a scope, ``any token`` or ``nothing``."""


def _documented() -> Access:
    rows = re.findall(r"^\| `([A-Z]+) (/\S*)` \| (.+?) \|", _DOCS.read_text(), re.MULTILINE)
    return {(method, path): needs.strip("`") for method, path, needs in rows}


def _declared(app: FastAPI) -> Access:
    return {
        (method.upper(), path): _needs(operation)
        for path, methods in app.openapi()["paths"].items()
        for method, operation in methods.items()
    }


def _needs(operation: dict[str, Any]) -> str:
    if "security" not in operation:
        return "nothing"
    (security,) = operation["security"]
    return " ".join(security["token"]) or "any token"


_EVERY_ROUTE = sorted(_documented().items())


def _ask(client: TestClient, method: str, path: str) -> Response:
    there_is_no_such = re.sub(r"\{\w+\}", str(ids.new()), path)
    return client.request(method, there_is_no_such, json={} if method == "POST" else None)


class TestAccess:
    def test_the_documentation_names_every_route_and_what_it_needs(self, app: FastAPI) -> None:
        assert _documented() == _declared(app)

    def test_the_documentation_names_every_role_and_what_it_gives(self) -> None:
        rows = re.findall(r"^\| ([a-z]+) \| (`\S+:\S+`.*) \|$", _DOCS.read_text(), re.MULTILINE)

        documented = {role: set(re.findall(r"`(\S+)`", scopes)) for role, scopes in rows}
        assert documented == {role.value: accounts.granted([role]) for role in Role}

    def test_no_route_but_the_desks_hides_from_the_description(self, app: FastAPI) -> None:
        paths = {
            str(route.path).replace(":path}", "}") for route in iter_route_contexts(app.routes)
        }

        hidden = paths - {path for _method, path in _documented()}
        desk = ("/desk", "/sign-in", "/sign-out", "/static/")
        assert {path for path in hidden if not path.startswith(desk)} <= {"/", "/oai"}

    def test_only_health_is_open(self) -> None:
        open_ = {path for (_method, path), needs in _documented().items() if needs == "nothing"}

        assert open_ == {"/livez", "/readyz"}

    def test_every_scope_is_given_to_somebody_and_used_somewhere(self) -> None:
        used = {needs for needs in _documented().values() if ":" in needs}

        assert used == accounts.SCOPES

    def test_without_a_token_nothing_but_health_answers(self, stranger: TestClient) -> None:
        for (method, path), needs in _EVERY_ROUTE:
            response = _ask(stranger, method, path)

            if needs == "nothing":
                assert response.status_code == HTTPStatus.OK
            else:
                problem(response, HTTPStatus.UNAUTHORIZED)

    @pytest.mark.parametrize("role", list(Role))
    def test_each_role_opens_what_its_scopes_say_and_no_more(
        self, acting: Acting, role: Role
    ) -> None:
        client = acting(role)
        granted = accounts.granted([role]) | {"nothing", "any token"}
        for (method, path), needs in _EVERY_ROUTE:
            response = _ask(client, method, path)

            if needs in granted:
                assert response.status_code not in {
                    HTTPStatus.UNAUTHORIZED,
                    HTTPStatus.FORBIDDEN,
                    HTTPStatus.INTERNAL_SERVER_ERROR,
                }, (method, path)
            else:
                denial = problem(response, HTTPStatus.FORBIDDEN)
                assert denial["scope"] == needs
                assert denial["roles"] == accounts.givers(needs)
                assert all(giver in denial["detail"] for giver in accounts.givers(needs))
