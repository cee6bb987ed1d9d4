from http import HTTPStatus
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from predella import db, ids
from tests import factories
from tests.api.problems import problem


@pytest.fixture
def collection_id(approver: TestClient) -> str:
    """Of a collection with ten texts that need review."""
    assert approver
    with db.transaction() as session:
        within = factories.submission(session)
        factories.analyses(session, 10, within)
        return str(within.collection_id)


@pytest.fixture
def lot(approver: TestClient, collection_id: str) -> str:
    """The address of an open lot."""
    body = {"collection_id": collection_id, "plan": "standard"}
    made = approver.post("/v1/lots", json=body)
    assert made.status_code == HTTPStatus.CREATED, made.text
    return f"/v1/lots/{made.json()['id']}"


def _read(client: TestClient, lot: str) -> None:
    for one in client.get(f"{lot}/sample").json():
        path = f"/v1/analyses/{one['analysis_id']}"
        seen = {"If-Match": client.get(path).json()["etag"]}
        assert client.post(f"{path}/approval", headers=seen, json={}).is_success


class TestLots:
    def test_are_made_read_concluded_and_reverted(
        self, approver: TestClient, lot: str, collection_id: str
    ) -> None:
        shown = approver.get(lot).json()
        assert (shown["state"], shown["member_count"], shown["progress"]["reviewed"]) == (
            "open",
            10,
            0,
        )
        early = approver.post(f"{lot}/conclusion")
        assert "still to be read" in problem(early, HTTPStatus.CONFLICT)["detail"]

        _read(approver, lot)
        concluded = approver.post(f"{lot}/conclusion").json()

        assert (concluded["state"], concluded["defect_count"]) == ("passed", 0)
        assert approver.delete(f"{lot}/conclusion").json()["state"] == "reverted"
        listed = approver.get("/v1/lots", params={"collection_id": collection_id}).json()
        assert [row["state"] for row in listed["data"]] == ["reverted"]

    def test_take_the_texts_that_are_named(self, approver: TestClient, collection_id: str) -> None:
        found = approver.get("/v1/analyses", params={"collection_id": collection_id}).json()
        named = [found["data"][0]["id"]]
        body = {"collection_id": collection_id, "plan": "strict", "analysis_ids": named}

        made = approver.post("/v1/lots", json=body).json()

        sample = approver.get(f"/v1/lots/{made['id']}/sample").json()
        assert [(one["analysis_id"], one["judgement"]) for one in sample] == [(named[0], None)]

    def test_are_read_by_curators_and_decided_by_approvers(
        self, curator: TestClient, lot: str, collection_id: str
    ) -> None:
        body = {"collection_id": collection_id, "plan": "strict"}

        assert curator.get(lot).is_success
        for refused in (
            curator.post("/v1/lots", json=body),
            curator.post(f"{lot}/conclusion"),
            curator.delete(f"{lot}/conclusion"),
        ):
            assert problem(refused, HTTPStatus.FORBIDDEN)["scope"] == "approvals:write"

    def test_that_are_not_there_are_not_found(self, approver: TestClient) -> None:
        problem(approver.get(f"/v1/lots/{ids.new()}"), HTTPStatus.NOT_FOUND)


class TestControls:
    @pytest.fixture
    def analysis_id(self, approver: TestClient, collection_id: str) -> UUID:
        found = approver.get("/v1/analyses", params={"collection_id": collection_id}).json()
        return UUID(found["data"][0]["id"])

    def test_are_seeded_missed_counted_and_revealed(
        self, approver: TestClient, curator: TestClient, collection_id: str, analysis_id: UUID
    ) -> None:
        body = {"analysis_id": str(analysis_id), "expected": "colour"}
        made = approver.post("/v1/controls", json=body)
        assert made.status_code == HTTPStatus.CREATED
        path = f"/v1/analyses/{analysis_id}"
        seen = {"If-Match": curator.get(path).json()["etag"]}
        rejection = {"reason": "colour"}
        assert curator.post(f"{path}/rejection", headers=seen, json=rejection).is_success

        of = {"collection_id": collection_id}
        found = approver.get("/v1/controls/detection", params=of).json()

        assert found == {"seeded": 1, "caught": 1, "missed": 0, "waiting": 0, "rate": 1.0}
        revealed = approver.post(f"/v1/controls/{made.json()['id']}/reveal").json()
        assert revealed["revealed_at"]

    def test_are_not_known_to_those_they_test(
        self, curator: TestClient, collection_id: str, analysis_id: UUID
    ) -> None:
        of = {"collection_id": collection_id}
        body = {"analysis_id": str(analysis_id), "expected": "colour"}

        for refused in (
            curator.get("/v1/controls/detection", params=of),
            curator.post("/v1/controls", json=body),
        ):
            problem(refused, HTTPStatus.FORBIDDEN)
