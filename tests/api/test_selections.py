from http import HTTPStatus
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from predella import db, ids
from tests import factories
from tests.api.problems import problem


@pytest.fixture
def made(approver: TestClient) -> list[UUID]:
    assert approver
    with db.transaction() as session:
        within = factories.submission(session, factories.collection(session, slug="sk"))
        return [one.id for one in factories.analyses(session, 3, within)]


def _freeze(client: TestClient, **body: Any) -> dict[str, Any]:
    response = client.post("/v1/selections", json={"query": "collection:sk"} | body)
    assert response.status_code == HTTPStatus.CREATED, response.text
    frozen: dict[str, Any] = response.json()
    return frozen


def _decide(client: TestClient, frozen: dict[str, Any], **body: Any) -> Response:
    path = f"/v1/selections/{frozen['id']}/decision"
    return client.post(path, json={"expected_count": frozen["count"]} | body)


class TestFreeze:
    def test_counts_what_the_query_finds_and_what_the_account_has_had_open(
        self, approver: TestClient, made: list[UUID]
    ) -> None:
        approver.get(f"/v1/analyses/{made[0]}")

        frozen = _freeze(approver, query="  collection:sk   -is:held ")

        assert frozen["query"] == "collection:sk -is:held"
        assert (frozen["count"], frozen["opened_by_me"]) == (3, 1)
        assert approver.get(f"/v1/selections/{frozen['id']}").json() == frozen
        assert _freeze(approver, limit=2)["count"] == 2

    def test_422_says_where_the_query_cannot_be_understood(self, approver: TestClient) -> None:
        response = approver.post("/v1/selections", json={"query": "vase shape:round"})

        told = problem(response, HTTPStatus.UNPROCESSABLE_ENTITY)
        assert (told["type"], told["position"]) == ("/problems/query", 6)

    def test_404_for_an_unknown_one(self, approver: TestClient) -> None:
        problem(approver.get(f"/v1/selections/{ids.new()}"), HTTPStatus.NOT_FOUND)


class TestDecideAll:
    def test_approves_what_was_open_and_tells_of_the_rest(
        self, approver: TestClient, made: list[UUID]
    ) -> None:
        approver.get(f"/v1/analyses/{made[0]}")

        result = _decide(approver, _freeze(approver), decision="approved").json()

        assert result["decided"] == 1
        assert result["refused"] == [
            {"analysis_id": str(one), "why": "not_opened"} for one in made[1:]
        ]

    def test_409_when_the_count_is_another(self, approver: TestClient, made: list[UUID]) -> None:
        frozen = _freeze(approver) | {"count": len(made) + 1}

        told = problem(
            _decide(approver, frozen, decision="rejected", reason="style"), HTTPStatus.CONFLICT
        )

        assert told["type"] == "/problems/count-mismatch"
        assert (told["expected"], told["actual"]) == (4, 3)

    def test_a_curator_rejects_but_neither_approves_nor_reverts(
        self, curator: TestClient, made: list[UUID]
    ) -> None:
        frozen = _freeze(curator)

        for decision in ("approved", "reopened"):
            problem(_decide(curator, frozen, decision=decision), HTTPStatus.FORBIDDEN)
        rejected = _decide(curator, frozen, decision="rejected", reason="style").json()
        assert (rejected["decided"], rejected["refused"]) == (len(made), [])
        problem(curator.post(f"/v1/selections/{frozen['id']}/revert"), HTTPStatus.FORBIDDEN)


class TestRevert:
    def test_reopens_all(self, approver: TestClient, made: list[UUID]) -> None:
        frozen = _freeze(approver)
        _decide(approver, frozen, decision="rejected", reason="style")

        reverted = approver.post(f"/v1/selections/{frozen['id']}/revert").json()

        assert (reverted["decision"], reverted["decided"]) == ("reopened", len(made))
        counted = approver.get("/v1/facets").json()
        assert counted["states"]["needs_review"] == len(made)
        assert counted["clean"] == len(made)
