"""Who may open which route: the table in the documentation, tried out.

Every route is asked as every role, once where the role holds in the whole house, and once
where it holds in one collection alone: there about a thing of that collection, about one of
another collection, and about one that does not exist.
"""

import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from pathlib import Path
from uuid import UUID

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient
from httpx2 import Response

from api import access
from predella import db, ids
from predella.ids import CollectionId
from predella.models import Role
from predella.services import accounts, collections, memberships, places
from predella.settings import Settings, get_settings
from tests.api import things
from tests.api.conftest import Acting
from tests.api.things import Things

_DOCS = Path(__file__).parents[2] / "docs" / "accounts.md"
_ANYBODY, _EVERYBODY = "anybody", "everybody signed in"
_COLLECTION, _HOUSE = "in the collection", "in the house"

Route = tuple[str, str]
Clients = Mapping[str, TestClient]


def _documented() -> dict[Route, tuple[str, str]]:
    rows = re.findall(
        r"^\| `([A-Z]+) (/\S*)` \| (.+?) \| (.*?) ?\|$", _DOCS.read_text(), re.MULTILINE
    )
    return {(method, path): (who, where) for method, path, who, where in rows}


def _routes(app: FastAPI) -> Iterator[Route]:
    found = iter_route_contexts(app.routes)
    named = {(method, str(one.path)) for one in found for method in one.methods or ["ANY"]}
    yield from sorted(named, key=lambda route: (route[1], route[0]))


def _ask(client: TestClient, route: Route, about: Mapping[str, str]) -> Response:
    method, path = route
    address = re.sub(r"\{(\w+)(?::\w+)?\}", lambda name: about.get(name[1], str(ids.new())), path)
    answer = client.request(
        method,
        address,
        json={} if method in {"POST", "PUT", "PATCH"} else None,
        # Not what is there: whoever may see it is told how it stands now.
        headers={"If-Match": '"r9.9"'},
        follow_redirects=False,
    )
    assert answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR or "readyz" in path, answer.text
    return answer


def _is_let_in(client: TestClient, route: Route, about: Mapping[str, str]) -> bool:
    answer = _ask(client, route, about)
    # The answer of a route that asks for a password itself is a page.
    if answer.headers.get("Content-Type") != "application/problem+json":
        return True
    closed = {"/problems/authentication", "/problems/permission-denied"}
    if about.keys() & re.findall(r"\{(\w+)", route[1]):
        closed |= {"/problems/not-found"}
    return answer.json()["type"] not in closed


def _told(answer: Response, about: Mapping[str, str]) -> tuple[int, str]:
    """Return what an answer tells but for the names that were in the address."""
    text = re.sub(r'"request_id":"[^"]*"', "", answer.text)
    for name in sorted(about.values(), key=len, reverse=True):
        text = text.replace(name, "...")
    return answer.status_code, text


@pytest.fixture
def own(settings: Settings) -> Things:
    """Things of the collection that the members are members of; and a spare account."""
    assert get_settings() is settings
    with db.transaction() as session:
        spare = accounts.add(session, name="spare", display_name="Spare", roles=["curator"])
        token, _ = accounts.issue_token(session, spare, name="spare")
        return things.put(session, "own") | {"account_id": str(spare.id), "token_id": str(token.id)}


@pytest.fixture
def foreign(settings: Settings) -> Things:
    """Things of another collection."""
    assert get_settings() is settings
    with db.transaction() as session:
        return things.put(session, "foreign")


@pytest.fixture
def housemates(acting: Acting) -> Clients:
    return {role.value: acting(role, name=f"house-{role}") for role in Role}


@pytest.fixture
def members(acting: Acting, own: Things) -> Clients:
    made = {role.value: acting(name=f"member-{role}") for role in Role}
    with db.transaction() as session:
        within = collections.by_slug(session, own["slug"])
        for role in made:
            account = accounts.by_name(session, f"member-{role}")
            memberships.change(session, account, within, [role])
    return made


def _who(let_in: list[str]) -> str:
    return "every role" if len(let_in) == len(Role) else ", ".join(let_in)


def _where(everywhere: list[str], here: list[str]) -> str:
    if not here:
        return _HOUSE
    return _COLLECTION if here == everywhere else f"{_HOUSE}; {_COLLECTION}: {_who(here)}"


class TestEveryRoute:
    def test_lets_in_whom_the_documentation_names_and_nobody_else(
        self,
        app: FastAPI,
        own: Things,
        housemates: Clients,
        members: Clients,
        acting: Acting,
        stranger: TestClient,
    ) -> None:
        guest = acting(name="guest")

        found = {}
        for route in _routes(app):
            everywhere, here = (
                [role for role, client in clients.items() if _is_let_in(client, route, own)]
                for clients in (housemates, members)
            )
            if _is_let_in(stranger, route, own):
                found[route] = (_ANYBODY, "")
            elif _is_let_in(guest, route, own):
                found[route] = (_EVERYBODY, "")
            else:
                found[route] = (_who(everywhere), _where(everywhere, here))

        rows = "\n".join(
            f"| `{method} {path}` | {who} | {where} |".replace("|  |", "| |")
            for (method, path), (who, where) in found.items()
        )
        assert _documented() == found, f"the table in docs/accounts.md has to read:\n{rows}"

    def test_a_thing_of_another_collection_is_like_one_that_does_not_exist(
        self, app: FastAPI, foreign: Things, members: Clients
    ) -> None:
        in_collections = places.BY_ID | {places.SLUG}
        for route in _routes(app):
            named = set(re.findall(r"\{(\w+)", route[1]))
            if "account_id" in named or named.isdisjoint(in_collections):
                continue
            nothing = things.PARTS | {name: str(ids.new()) for name in in_collections}
            for role, client in members.items():
                answer = _ask(client, route, foreign)

                assert answer.status_code in {HTTPStatus.NOT_FOUND, HTTPStatus.FORBIDDEN}
                told = _told(_ask(client, route, nothing), nothing)
                assert _told(answer, foreign) == told, (role, route)

    def test_what_may_be_read_but_not_done_is_denied_in_words(
        self, app: FastAPI, own: Things, members: Clients
    ) -> None:
        for method, path in _routes(app):
            named = set(re.findall(r"\{(\w+)", path))
            if named.isdisjoint(places.BY_ID | {places.SLUG}) or "account_id" in named:
                continue
            answer = _ask(members["registrar"], (method, path), own)
            if answer.status_code == HTTPStatus.FORBIDDEN:
                denial = answer.json()
                assert denial["collection"] == "own"
                assert denial["roles"] == accounts.givers(denial["scope"])
                assert "in the collection 'own'" in denial["detail"]

    def test_nothing_of_another_collection_is_in_any_answer(
        self, app: FastAPI, own: Things, foreign: Things, members: Clients
    ) -> None:
        secret = {value for name, value in foreign.items() if name not in things.PARTS}
        seen_own = 0
        for route in _routes(app):
            if route[0] != "GET":
                continue
            for client in members.values():
                told = _ask(client, route, own).text

                assert not [name for name in secret if name in told], route
                seen_own += own["collection_id"] in told or "works-in-own" in told
        assert seen_own

    def test_a_role_that_is_taken_away_closes_the_next_request(
        self, own: Things, members: Clients
    ) -> None:
        route = ("GET", "/v1/analyses/{analysis_id}")
        assert _is_let_in(members["curator"], route, own)

        with db.transaction() as session:
            account = accounts.by_name(session, "member-curator")
            within = collections.get(session, CollectionId(UUID(own["collection_id"])))
            memberships.change(session, account, within, [])

        assert not _is_let_in(members["curator"], route, own)


class TestRequireKnown:
    def test_a_path_that_names_a_thing_of_an_unknown_kind_does_not_open(self) -> None:
        router = APIRouter()
        router.add_api_route("/frames/{frame_id}", lambda frame_id: frame_id)

        with pytest.raises(LookupError, match="frame_id"):
            access.require_known(router)
