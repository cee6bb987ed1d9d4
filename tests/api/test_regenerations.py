from http import HTTPStatus

import pytest
from fastapi.testclient import TestClient

from predella import db, ids
from predella.models import Role
from tests import factories
from tests.api.conftest import Acting
from tests.api.problems import problem

REASON = {"reason": "colour", "note": "The vase is red."}


@pytest.fixture
def path(curator: TestClient) -> str:
    """The address of an analysis that needs review."""
    assert curator
    with db.transaction() as session:
        return f"/v1/analyses/{factories.analysis(session, text='A blue vase.').id}"


def seen(by: TestClient, path: str) -> dict[str, str]:
    return {"If-Match": by.get(path).headers["etag"]}


class TestRegenerate:
    def test_supersedes_the_text_and_says_what_is_awaited(
        self, curator: TestClient, path: str
    ) -> None:
        response = curator.post(f"{path}/regeneration", json=REASON, headers=seen(curator, path))

        assert response.status_code == HTTPStatus.ACCEPTED, response.text
        assert response.json()["state"] == "superseded"
        assert response.headers["etag"] == response.json()["etag"] == '"r0.1"'
        (wish,) = curator.get(f"{path}/regenerations").json()
        assert (wish["state"], wish["sample"], wish["replaced_by_id"]) == ("waiting", 1, None)
        assert (wish["reason"], wish["note"]) == ("colour", "The vase is red.")
        assert wish["asked_by"] == "curator Ōe"

    def test_refuses_to_leave_out_what_is_not_flagged(self, curator: TestClient, path: str) -> None:
        asked = REASON | {"without": ["colour_absent"]}

        response = curator.post(f"{path}/regeneration", json=asked, headers=seen(curator, path))

        told = problem(response, HTTPStatus.UNPROCESSABLE_ENTITY)
        assert "no sentence of this text is flagged by colour_absent" in told["detail"]

    def test_can_be_undone(self, curator: TestClient, path: str) -> None:
        curator.post(f"{path}/regeneration", json=REASON, headers=seen(curator, path))

        undone = curator.post(f"{path}/undo", headers=seen(curator, path))

        assert undone.json()["state"] == "needs_review"
        (wish,) = curator.get(f"{path}/regenerations").json()
        assert wish["state"] == "withdrawn"

    def test_answers_a_second_click_without_asking_again(
        self, curator: TestClient, path: str
    ) -> None:
        for _ in range(2):
            response = curator.post(
                f"{path}/regeneration", json=REASON, headers=seen(curator, path)
            )
            assert response.status_code == HTTPStatus.ACCEPTED, response.text

        assert len(curator.get(f"{path}/regenerations").json()) == 1

    def test_428_unless_the_caller_says_what_they_saw(self, curator: TestClient, path: str) -> None:
        response = curator.post(f"{path}/regeneration", json=REASON)

        problem(response, HTTPStatus.PRECONDITION_REQUIRED)

    def test_412_for_something_else_than_what_they_saw(
        self, curator: TestClient, path: str
    ) -> None:
        before = seen(curator, path)
        curator.post(f"{path}/revisions", json={"text": "A red vase."}, headers=before)

        response = curator.post(f"{path}/regeneration", json=REASON, headers=before)

        problem(response, HTTPStatus.PRECONDITION_FAILED)

    def test_409_once_it_is_decided(self, curator: TestClient, path: str) -> None:
        curator.post(f"{path}/rejection", json=REASON, headers=seen(curator, path))

        response = curator.post(f"{path}/regeneration", json=REASON, headers=seen(curator, path))

        assert problem(response, HTTPStatus.CONFLICT)["type"] == "/problems/already-decided"

    def test_422_without_a_reason(self, curator: TestClient, path: str) -> None:
        response = curator.post(f"{path}/regeneration", json={}, headers=seen(curator, path))

        problem(response, HTTPStatus.UNPROCESSABLE_ENTITY)

    def test_403_for_whoever_may_not_review(
        self, curator: TestClient, acting: Acting, path: str
    ) -> None:
        registrar = acting(Role.REGISTRAR, name="registrar")

        response = registrar.post(f"{path}/regeneration", json=REASON, headers=seen(curator, path))

        problem(response, HTTPStatus.FORBIDDEN)


class TestListRegenerations:
    def test_404_for_a_text_that_does_not_exist(self, curator: TestClient) -> None:
        response = curator.get(f"/v1/analyses/{ids.new()}/regenerations")

        problem(response, HTTPStatus.NOT_FOUND)
