from datetime import datetime
from http import HTTPStatus
from typing import Any

import pytest
from fastapi.testclient import TestClient

from predella import db
from predella.models import Role
from tests import factories
from tests.api.conftest import Acting
from tests.api.problems import problem


@pytest.fixture
def wanted(curator: TestClient) -> list[str]:
    """Six that need review, of one collection; in the order in which they are offered."""
    assert curator
    with db.transaction() as session:
        return [str(one.id) for one in factories.analyses(session, 6)]


def _claim(by: TestClient, **body: Any) -> list[str]:
    response = by.post("/v1/claims", json=body)
    assert response.status_code == HTTPStatus.OK, response.text
    return [row["id"] for row in response.json()["data"]]


class TestClaim:
    def test_two_people_are_offered_different_texts(
        self, curator: TestClient, approver: TestClient, wanted: list[str]
    ) -> None:
        assert _claim(curator, n=2) == wanted[:2]
        assert _claim(approver) == wanted[2:]
        assert _claim(curator, n=2) == wanted[:2]

    def test_each_comes_as_it_stands_and_with_the_end_of_the_lease(
        self, curator: TestClient, wanted: list[str]
    ) -> None:
        answer = curator.post("/v1/claims", json={"n": 1}).json()

        assert answer["data"] == [curator.get(f"/v1/analyses/{wanted[0]}").json()]
        assert datetime.fromisoformat(answer["until"]).tzinfo is not None

    def test_only_of_one_collection(self, curator: TestClient, wanted: list[str]) -> None:
        with db.transaction() as session:
            submission = factories.submission(session, factories.collection(session, slug="ra"))
            (elsewhere,) = factories.analyses(session, 1, submission)
            other = str(elsewhere.id)

        assert _claim(curator, query="collection:ra") == [other]
        assert _claim(curator, query="collection:ra conf:<0") == []
        assert wanted

    def test_in_another_order(self, curator: TestClient, wanted: list[str]) -> None:
        assert _claim(curator, order="newest", n=2) == wanted[:-3:-1]

    def test_422_for_a_collection_that_there_is_not(
        self, curator: TestClient, wanted: list[str]
    ) -> None:
        response = curator.post("/v1/claims", json={"query": "collection:ks"})

        told = problem(response, HTTPStatus.UNPROCESSABLE_ENTITY)
        assert (told["position"], "no collection is called 'ks'" in told["detail"]) == (12, True)
        assert wanted

    @pytest.mark.parametrize("n", [0, 6])
    def test_422_for_none_and_for_more_than_can_be_read_at_once(
        self, curator: TestClient, n: int
    ) -> None:
        response = curator.post("/v1/claims", json={"n": n})

        problem(response, HTTPStatus.UNPROCESSABLE_ENTITY)

    def test_who_does_not_review_claims_nothing(self, acting: Acting) -> None:
        response = acting(Role.DIGITIZER).post("/v1/claims", json={})

        assert problem(response, HTTPStatus.FORBIDDEN)["scope"] == "reviews:write"


class TestHeartbeat:
    def test_says_until_when_they_are_held_now(
        self, curator: TestClient, wanted: list[str]
    ) -> None:
        claimed = curator.post("/v1/claims", json={"n": 1}).json()

        kept = curator.put("/v1/claims/heartbeat").json()

        assert kept["until"] > claimed["until"]
        assert wanted


class TestRelease:
    def test_what_is_given_back_is_offered_to_others(
        self, curator: TestClient, approver: TestClient, wanted: list[str]
    ) -> None:
        _claim(curator, n=2)

        for id_ in (wanted[0], wanted[0]):
            response = curator.delete(f"/v1/claims/{id_}")
            assert response.status_code == HTTPStatus.NO_CONTENT

        assert _claim(approver, n=2) == [wanted[0], wanted[2]]

    def test_what_a_colleague_holds_stays_with_them(
        self, curator: TestClient, approver: TestClient, wanted: list[str]
    ) -> None:
        _claim(curator, n=1)

        approver.delete(f"/v1/claims/{wanted[0]}")

        assert _claim(approver, n=1) == [wanted[1]]
