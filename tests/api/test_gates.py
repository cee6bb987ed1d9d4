from http import HTTPStatus
from typing import Any

import pytest
from fastapi.testclient import TestClient

from predella import db
from predella.models import Role
from tests import factories
from tests.api.conftest import Acting


@pytest.fixture
def digitizer(acting: Acting) -> TestClient:
    return acting(Role.DIGITIZER, name="digitizer")


@pytest.fixture
def made(database_url: str) -> dict[str, Any]:  # noqa: ARG001  (the rows lie there)
    with db.transaction() as session:
        item = factories.approved(session, object_number="1925/12.3 a")
        return {"collection_id": item.collection_id, "analysis_id": item.analysis_id}


def _path(made: dict[str, Any], number: str = "1925/12.3 a") -> str:
    return f"/v1/collections/{made['collection_id']}/objects/{number}/gates"


class TestGates:
    def test_change_for_an_object_with_slash_and_space_and_withhold_its_text(
        self, digitizer: TestClient, made: dict[str, Any]
    ) -> None:
        body = {"sensitivity": "restricted", "reason": "The community asked for it."}

        answer = digitizer.patch(_path(made), json=body)

        assert answer.status_code == HTTPStatus.OK, answer.text
        shown = digitizer.get(_path(made)).json()
        assert shown == answer.json()
        assert (shown["is_open"], shown["reason"]) == (False, "The community asked for it.")
        text = digitizer.get(f"/v1/analyses/{made['analysis_id']}").json()
        assert text["state"] == "withheld"

    def test_need_a_reason(self, digitizer: TestClient, made: dict[str, Any]) -> None:
        answer = digitizer.patch(_path(made), json={"sensitivity": "restricted"})

        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY

    def test_of_an_unknown_object_are_not_found(
        self, digitizer: TestClient, made: dict[str, Any]
    ) -> None:
        assert digitizer.get(_path(made, "x")).status_code == HTTPStatus.NOT_FOUND

    def test_are_changed_at_the_desk_by_the_whole_form(
        self, digitizer: TestClient, made: dict[str, Any]
    ) -> None:
        collection = digitizer.get(f"/v1/collections/{made['collection_id']}").json()
        page = f"/desk/objects/{collection['slug']}/1925/12.3%20a"
        form = {"sensitivity": "none", "ai_processing": "true", "reason": "no rights, no export"}

        answer = digitizer.post(page, data=form, follow_redirects=True)

        assert answer.status_code == HTTPStatus.OK, answer.text
        assert "no rights, no export" in answer.text
        shown = digitizer.get(_path(made)).json()
        assert (shown["exportable"], shown["rights_work"], shown["is_open"]) == (False, None, True)
