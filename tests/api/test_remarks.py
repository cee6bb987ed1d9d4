from http import HTTPStatus

import pytest
from fastapi.testclient import TestClient

from predella import db, ids
from predella.models import Role
from tests import factories
from tests.api.conftest import Acting
from tests.api.problems import problem


@pytest.fixture
def path(curator: TestClient) -> str:
    assert curator
    with db.transaction() as session:
        return f"/v1/analyses/{factories.analysis(session).id}/remarks"


class TestRemarks:
    def test_what_is_said_is_read_by_the_others(
        self, curator: TestClient, approver: TestClient, path: str
    ) -> None:
        said = curator.post(path, json={"text": " Is this the verso? "})

        assert said.status_code == HTTPStatus.CREATED
        assert said.json()["said_by"] == "curator Ōe"
        assert approver.get(path).json() == [said.json()]
        assert said.json()["text"] == "Is this the verso?"

    @pytest.mark.parametrize("text", ["", "  ", "x" * 2_001])
    def test_422_for_nothing_and_for_too_much(
        self, curator: TestClient, path: str, text: str
    ) -> None:
        problem(curator.post(path, json={"text": text}), HTTPStatus.UNPROCESSABLE_ENTITY)

    def test_404_where_there_is_no_analysis(self, curator: TestClient) -> None:
        path = f"/v1/analyses/{ids.new()}/remarks"

        problem(curator.get(path), HTTPStatus.NOT_FOUND)
        problem(curator.post(path, json={"text": "A vase."}), HTTPStatus.NOT_FOUND)

    def test_who_does_not_review_reads_only(self, acting: Acting, path: str) -> None:
        registrar = acting(Role.REGISTRAR)

        assert registrar.get(path).json() == []
        problem(registrar.post(path, json={"text": "A vase."}), HTTPStatus.FORBIDDEN)
