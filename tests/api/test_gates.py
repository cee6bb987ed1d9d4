from http import HTTPStatus
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from predella import db
from predella.models import Analysis, AuditEntry, Collection, Item, Role, Submission
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


class TestBesideOthers:
    def test_tells_which_other_object_keeps_a_picture_back(
        self, digitizer: TestClient, made: dict[str, Any]
    ) -> None:
        with db.transaction() as session:
            analysis = session.get_one(Analysis, made["analysis_id"])
            within = session.get_one(Item, analysis.item_id).submission_id
            other = factories.item(
                session, session.get_one(Submission, within), object_number="SK-A-2"
            )
            factories.share(session, analysis, other)
        collection = digitizer.get(f"/v1/collections/{made['collection_id']}").json()
        body = {"sensitivity": "review", "reason": "The community asked for it."}

        closed = digitizer.patch(_path(made, "SK-A-2"), json=body).json()
        shown = digitizer.get(_path(made)).json()
        page = digitizer.get(f"/desk/objects/{collection['slug']}/1925/12.3%20a").text

        assert (closed["kept_back_by"], shown["kept_back_by"]) == ([], ["SK-A-2"])
        assert f"/desk/objects/{collection['slug']}/SK-A-2" in page


class TestManyGates:
    @pytest.fixture
    def path(self, made: dict[str, Any]) -> str:
        with db.transaction() as session:
            first = session.get_one(Collection, made["collection_id"])
            factories.item(session, factories.submission(session, first), object_number="SK-A-2")
        return f"/v1/collections/{made['collection_id']}/gates"

    def test_are_counted_and_then_changed_each_in_its_way(
        self, digitizer: TestClient, made: dict[str, Any], path: str
    ) -> None:
        objects = [
            {"object_number": "1925/12.3 a", "sensitivity": "restricted"},
            {"object_number": "SK-A-2", "clear": ["rights_work"]},
        ]
        body = {"objects": objects, "reason": "The community asked for it."}

        counted = digitizer.patch(path, json=body | {"dry_run": True})
        untouched = digitizer.get(_path(made)).json()
        changed = digitizer.patch(path, json=body)

        assert counted.json() == changed.json()
        assert changed.json() == {
            "objects": 2, "changed": 2, "closed": 1, "opened": 0, "unknown": [],
        }  # fmt: skip
        assert untouched["is_open"] is True
        assert digitizer.get(_path(made)).json()["sensitivity"] == "restricted"
        other = digitizer.get(_path(made, "SK-A-2")).json()
        assert (other["rights_work"], other["reason"]) == (None, "The community asked for it.")
        with db.transaction() as session:
            entries = session.scalars(select(AuditEntry).filter_by(action="object.gated")).all()
            assert {one.subject_id for one in entries} == {"1925/12.3 a", "SK-A-2"}

    def test_stay_when_a_number_is_unknown(
        self, digitizer: TestClient, made: dict[str, Any], path: str
    ) -> None:
        objects = [
            {"object_number": number, "exportable": False} for number in ("1925/12.3 a", "x")
        ]
        body = {"objects": objects, "reason": "A letter."}

        counted = digitizer.patch(path, json=body | {"dry_run": True})
        refused = digitizer.patch(path, json=body)

        assert counted.json()["unknown"] == ["x"]
        assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert "1 of these numbers" in refused.json()["detail"]
        assert digitizer.get(_path(made)).json()["exportable"] is True

    def test_need_that_each_object_is_named_once(self, digitizer: TestClient, path: str) -> None:
        objects = [{"object_number": "SK-A-2", "exportable": one} for one in (True, False)]

        answer = digitizer.patch(path, json={"objects": objects, "reason": "A letter."})

        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert "twice" in answer.text

    def test_are_not_for_curators(self, acting: Acting, path: str) -> None:
        objects = [{"object_number": "SK-A-2", "exportable": True}]

        answer = acting(Role.CURATOR).patch(path, json={"objects": objects, "reason": "A letter."})

        assert answer.status_code == HTTPStatus.FORBIDDEN


class TestManyAtTheDesk:
    @pytest.fixture
    def page(self, made: dict[str, Any], digitizer: TestClient) -> str:
        collection = digitizer.get(f"/v1/collections/{made['collection_id']}").json()
        return f"/desk/objects/{collection['slug']}"

    def test_are_counted_first_and_changed_by_the_second_click(
        self, digitizer: TestClient, made: dict[str, Any], page: str
    ) -> None:
        form = {"numbers": "1925/12.3 a\r\n", "sensitivity": "restricted", "reason": "asked for"}

        counted = digitizer.post(page, data=form)
        untouched = digitizer.get(_path(made)).json()["is_open"]
        changed = digitizer.post(page, data=form | {"confirmed": "true"}, follow_redirects=True)

        assert "1 of 1 objects would be changed: 1 closed" in counted.text
        assert 'name="confirmed"' in counted.text
        assert untouched is True
        assert "1 object was changed" in changed.text
        assert digitizer.get(_path(made)).json()["is_open"] is False

    def test_take_pasted_rows_of_a_spreadsheet(
        self, digitizer: TestClient, made: dict[str, Any], page: str
    ) -> None:
        rows = "object_number\tembargo_until\r\n1925/12.3 a\t2031-12-31\r\n"

        digitizer.post(page, data={"numbers": rows, "reason": "a letter", "confirmed": "true"})

        assert digitizer.get(_path(made)).json()["embargo_until"] == "2031-12-31"

    def test_stay_when_a_number_is_unknown_or_nothing_is_said(
        self, digitizer: TestClient, made: dict[str, Any], page: str
    ) -> None:
        form = {"numbers": "1925/12.3 a\n<b>x</b>", "exportable": "denied", "reason": "a letter"}

        unknown = digitizer.post(page, data=form | {"confirmed": "true"})
        nothing = digitizer.post(page, data=form | {"exportable": ""})

        assert "&lt;b&gt;x&lt;/b&gt;</li>" in unknown.text
        assert nothing.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert "say what is to change" in nothing.text
        assert "1925/12.3 a" in nothing.text
        assert digitizer.get(_path(made)).json()["exportable"] is True
