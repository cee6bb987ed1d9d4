from http import HTTPStatus
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from predella import db, ids
from predella.models import Submission
from predella.services import checkups
from tests import factories
from tests.api.problems import problem

_TEXT = "Rembrandt lets the light fall upon a wall, in 1642."


@pytest.fixture
def path(curator: TestClient) -> str:
    assert curator
    return f"/v1/analyses/{_checked(_TEXT)}"


def _checked(text: str, within: UUID | None = None) -> UUID:
    with db.transaction() as session:
        submission = session.get_one(Submission, within) if within else None
        item = factories.item(session, submission, artist="Rembrandt van Rijn")
        made = factories.analysis(session, item, text=text)
        checkups.run(session, [factories.newest_revision(session, made).id])
        return made.id


class TestAnAnalysis:
    def test_comes_with_what_the_checks_say_of_it(self, curator: TestClient, path: str) -> None:
        record, length, date = curator.get(path).json()["findings"]

        assert (record["check"], record["severity"]) == ("record", "hard")
        assert _TEXT[record["start"] : record["end"]] == "Rembrandt"
        assert record["evidence"] == {"kind": "artist"}
        assert record["dismissal"] is None
        assert (length["check"], length["start"], length["end"]) == ("length", None, None)
        assert date["check"] == "date"

    def test_is_not_approved_while_a_hard_one_is_open(
        self, approver: TestClient, path: str
    ) -> None:
        seen = {"If-Match": approver.get(path).json()["etag"]}

        refused = approver.post(f"{path}/approval", headers=seen, json={})

        told = problem(refused, HTTPStatus.CONFLICT)
        assert (told["type"], told["checks"]) == ("/problems/open-check", ["record"])

    def test_is_found_by_check_and_severity(self, curator: TestClient, path: str) -> None:
        clean = _checked("A wall.")

        def listed(**filters: str) -> list[str]:
            page = curator.get("/v1/analyses", params=filters).json()["data"]
            return [f"/v1/analyses/{row['id']}" for row in page]

        assert listed(check="record") == [path]
        assert listed(severity="hard", state="needs_review") == [path]
        assert listed(check="length") == [path, f"/v1/analyses/{clean}"]
        assert listed(check="loop") == []

    def test_is_not_sought_by_a_check_that_there_is_not(self, curator: TestClient) -> None:
        problem(
            curator.get("/v1/analyses", params={"check": "lop"}), HTTPStatus.UNPROCESSABLE_ENTITY
        )


class TestDismissal:
    def test_with_a_reason_clears_the_way_and_is_taken_back(
        self, approver: TestClient, path: str
    ) -> None:
        shown = approver.get(path).json()
        finding = f"/v1/findings/{shown['findings'][0]['id']}/dismissal"

        said = approver.post(finding, json={"reason": "It is written on the frame."})
        assert said.json()["dismissal"]["reason"] == "It is written on the frame."
        assert said.json()["dismissal"]["dismissed_by"] == "approver Ōe"
        taken = approver.delete(finding)
        assert taken.json()["dismissal"] is None
        approver.post(finding, json={"reason": "It is, though."})

        approved = approver.post(f"{path}/approval", headers={"If-Match": shown["etag"]}, json={})
        assert approved.json()["state"] == "approved"
        problem(approver.delete(finding), HTTPStatus.CONFLICT)

    def test_needs_a_reason_and_a_finding(self, curator: TestClient, path: str) -> None:
        id_ = curator.get(path).json()["findings"][0]["id"]

        for reason in ("", "  "):
            refused = curator.post(f"/v1/findings/{id_}/dismissal", json={"reason": reason})
            problem(refused, HTTPStatus.UNPROCESSABLE_ENTITY)
        missing = curator.post(f"/v1/findings/{ids.new()}/dismissal", json={"reason": "no"})
        problem(missing, HTTPStatus.NOT_FOUND)


class TestSentenceDeletion:
    def test_the_sentence_is_gone_and_the_rest_stands(self, curator: TestClient) -> None:
        path = f"/v1/analyses/{_checked('A vase stands. Painted in 1642. It is blue.')}"
        date = next(one for one in curator.get(path).json()["findings"] if one["check"] == "date")
        deletion = f"/v1/findings/{date['id']}/sentence-deletion"

        shown = curator.post(deletion, json={"revision": 0})

        assert shown.json() == curator.get(path).json()
        assert shown.headers["etag"] == shown.json()["etag"] == '"r1.0"'
        assert shown.json()["text"] == "A vase stands. It is blue."
        stale = problem(curator.post(deletion, json={"revision": 1}), HTTPStatus.CONFLICT)
        assert stale["type"] == "/problems/stale-finding"

    def test_412_for_another_wording_than_the_one_that_was_read(
        self, curator: TestClient, path: str
    ) -> None:
        id_ = curator.get(path).json()["findings"][0]["id"]

        response = curator.post(f"/v1/findings/{id_}/sentence-deletion", json={"revision": 7})

        told = problem(response, HTTPStatus.PRECONDITION_FAILED)
        assert told["current"] == curator.get(path).json()

    def test_422_where_nothing_would_be_left(self, curator: TestClient, path: str) -> None:
        id_ = curator.get(path).json()["findings"][0]["id"]

        response = curator.post(f"/v1/findings/{id_}/sentence-deletion", json={"revision": 0})

        problem(response, HTTPStatus.UNPROCESSABLE_ENTITY)


class TestCounts:
    def test_tell_of_how_many_texts(self, curator: TestClient, path: str) -> None:
        _checked("A vase of 1642.")
        collection_id = curator.get(path).json()["collection_id"]

        everywhere = curator.get("/v1/findings/counts").json()
        here = curator.get("/v1/findings/counts", params={"collection_id": collection_id}).json()

        assert {"check": "date", "severity": "soft", "analyses": 2} in everywhere
        assert {"check": "date", "severity": "soft", "analyses": 1} in here


class TestThresholds:
    def test_are_the_usual_ones_until_somebody_chooses(self, admin: TestClient, path: str) -> None:
        collection_id = admin.get(path).json()["collection_id"]
        thresholds = f"/v1/collections/{collection_id}/thresholds"
        usual = admin.get(thresholds).json()

        def put(**said: Any) -> Response:
            seen = {"If-Match": admin.get(thresholds).headers["etag"]}
            return admin.put(thresholds, json=said, headers=seen)

        chosen = put(off=["loop"], severities={"date": "hard"})

        assert chosen.json() == usual | {"off": ["loop"], "severities": {"date": "hard"}}
        assert admin.get(thresholds).json() == chosen.json()
        assert put().json() == usual
        refused = put(colour_share=3)
        problem(refused, HTTPStatus.UNPROCESSABLE_ENTITY)
