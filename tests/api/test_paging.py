from collections.abc import Iterator
from http import HTTPStatus

import pytest
from fastapi.testclient import TestClient

from predella import db
from predella.models import Role
from predella.services import accounts
from tests.api.problems import problem


@pytest.fixture
def names(admin: TestClient) -> list[str]:
    """The accounts there are, oldest first."""
    (first,) = admin.get("/v1/accounts").json()["data"]
    with db.transaction() as session:
        made = [
            accounts.add(session, name=f"a{number}", display_name="A", roles=[Role.CURATOR]).name
            for number in range(6)
        ]
    return [first["name"], *made]


def _followed(client: TestClient, limit: int) -> Iterator[str]:
    """Yield the names on every page."""
    following: str | None = f"/v1/accounts?limit={limit}"
    while following:
        response = client.get(following)
        page = response.json()["data"]
        assert 0 < len(page) <= limit
        yield from (account["name"] for account in page)
        following = response.links.get("next", {}).get("url")


class TestPage:
    def test_following_the_link_shows_each_row_once(
        self, admin: TestClient, names: list[str]
    ) -> None:
        for limit in (1, 2, 3, 6, 7, 200):
            assert list(_followed(admin, limit)) == names

    def test_the_cursor_in_the_body_is_the_one_in_the_link(
        self, admin: TestClient, names: list[str]
    ) -> None:
        first = admin.get("/v1/accounts", params={"limit": 4}).json()
        second = admin.get("/v1/accounts", params={"limit": 4, "cursor": first["next"]}).json()

        assert [row["name"] for row in second["data"]] == names[4:]
        assert second["next"] is None

    def test_a_row_added_behind_a_page_moves_nothing(
        self, admin: TestClient, names: list[str]
    ) -> None:
        first = admin.get("/v1/accounts", params={"limit": 5}).json()
        with db.transaction() as session:
            accounts.add(session, name="late", display_name="L", roles=[Role.CURATOR])

        second = admin.get("/v1/accounts", params={"cursor": first["next"]}).json()

        assert [row["name"] for row in second["data"]] == [*names[5:], "late"]

    def test_a_cursor_that_is_not_ours_is_refused(self, admin: TestClient) -> None:
        for cursor in ("", "%", "AAAA", "é", "a" * 101, "MTIz", "////"):
            response = admin.get("/v1/accounts", params={"cursor": cursor})

            (part,) = problem(response, HTTPStatus.UNPROCESSABLE_ENTITY)["errors"]
            assert (part["in"], part["pointer"]) == ("query", "/cursor")

    def test_a_page_has_between_1_and_200_rows(self, admin: TestClient) -> None:
        for limit in ("0", "201", "-1", "many", "9" * 400):
            response = admin.get("/v1/accounts", params={"limit": limit})

            problem(response, HTTPStatus.UNPROCESSABLE_ENTITY)
