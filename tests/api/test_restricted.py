"""What shows a restricted object: for those who decide about it, not for mere readers."""

import re
from collections.abc import Iterator
from http import HTTPStatus

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient

from predella import db
from predella.ids import CollectionId
from predella.models import Analysis, Item, Role, Sensitivity, Submission
from predella.services import accounts, gates, memberships
from predella.services.gates import Change
from tests import factories
from tests.api.conftest import Acting

Shown = dict[str, str]


def _restrict(item: Item, to: Change) -> None:
    with db.transaction() as session:
        gates.change(
            session,
            CollectionId(item.collection_id),
            item.object_number,
            to,
            account=factories.account(session),
            reason="asked for by the community",
        )


@pytest.fixture
def item(stranger: TestClient) -> Item:
    """An object with an approved text; a second one is in the picture."""
    assert stranger
    with db.transaction() as session:
        made = factories.approved(session, title="The mask")
        analysis = session.get_one(Analysis, made.analysis_id)
        other = factories.item(session, session.get_one(Submission, made.submission_id))
        factories.share(session, analysis, other)
        session.expunge_all()
    return other


@pytest.fixture
def shown(item: Item) -> Shown:
    with db.transaction() as session:
        finding = factories.finding(session, session.get_one(Analysis, item.analysis_id))
        return {
            "analysis_id": str(item.analysis_id),
            "image_id": str(item.image_id),
            "finding_id": str(finding.id),
            "version": "0" * 12,
            "level": "0",
            "column": "0",
            "row": "0",
        }


def _addresses(app: FastAPI, shown: Shown) -> Iterator[str]:
    """Return every address that shows something of an image or a text."""
    for route in iter_route_contexts(app.routes):
        named = set(re.findall(r"\{(\w+)", str(route.path)))
        if "GET" in (route.methods or ()) and named & {"analysis_id", "image_id"}:
            yield str(route.path).format(**shown)


class TestRestricted:
    def test_shows_readers_nothing_on_any_route(
        self, app: FastAPI, acting: Acting, item: Item, shown: Shown
    ) -> None:
        reader = acting(Role.REGISTRAR)
        addresses = list(_addresses(app, shown))
        open_before = {one: reader.get(one).status_code for one in addresses}

        _restrict(item, Change(sensitivity=Sensitivity.RESTRICTED))
        after = {one: reader.get(one).status_code for one in addresses}

        assert len(addresses) > 6
        assert HTTPStatus.FORBIDDEN not in open_before.values()
        assert after == dict.fromkeys(addresses, HTTPStatus.FORBIDDEN)

    @pytest.mark.parametrize("role", [Role.CURATOR, Role.APPROVER, Role.DIGITIZER, Role.ADMIN])
    def test_stays_open_to_who_decides(
        self, app: FastAPI, acting: Acting, item: Item, shown: Shown, role: Role
    ) -> None:
        _restrict(item, Change(sensitivity=Sensitivity.RESTRICTED))
        somebody = acting(role)

        answers = {one: somebody.get(one).status_code for one in _addresses(app, shown)}

        assert HTTPStatus.FORBIDDEN not in answers.values()

    @pytest.mark.parametrize(
        "to", [Change(sensitivity=Sensitivity.REVIEW), Change(ai_processing=False)]
    )
    def test_is_more_than_what_other_gates_keep_back(
        self, acting: Acting, item: Item, shown: Shown, to: Change
    ) -> None:
        _restrict(item, to)

        answer = acting(Role.REGISTRAR).get(f"/v1/analyses/{shown['analysis_id']}")

        assert answer.status_code == HTTPStatus.OK

    def test_is_not_in_the_lists_of_readers(self, acting: Acting, item: Item) -> None:
        _restrict(item, Change(sensitivity=Sensitivity.RESTRICTED))
        reader, curator = acting(Role.REGISTRAR), acting(Role.CURATOR, name="curator")

        lists = {
            somebody: [
                somebody.get("/v1/analyses").json()["data"],
                somebody.get("/v1/analyses?query=state:withheld").json()["data"],
            ]
            for somebody in (reader, curator)
        }

        assert lists[reader] == [[], []]
        assert [len(one) for one in lists[curator]] == [1, 1]
        assert "The mask" not in reader.get("/desk?q=state:withheld").text
        assert "The mask" in curator.get("/desk?q=state:withheld").text

    def test_tells_readers_neither_its_title_nor_why(self, acting: Acting, item: Item) -> None:
        to = Change(sensitivity=Sensitivity.RESTRICTED, sensitivity_note="worn in the rite")
        _restrict(item, to)
        reader, curator = acting(Role.REGISTRAR), acting(Role.CURATOR, name="curator")
        rows = f"/v1/submissions/{item.submission_id}/items"
        page = f"/desk/submissions/{item.submission_id}"
        gate = f"/v1/collections/{item.collection_id}/objects/{item.object_number}/gates"

        titles = {
            somebody: {row["title"] for row in somebody.get(rows).json()["data"]}
            for somebody in (reader, curator)
        }

        assert titles == {reader: {"The mask", None}, curator: {"The mask", item.title}}
        assert item.title
        assert [item.title in one.get(page).text for one in (reader, curator)] == [False, True]
        told = [(one.get(gate).json()) for one in (reader, curator)]
        assert [one["sensitivity_note"] for one in told] == [None, "worn in the rite"]
        assert [one["reason"] for one in told] == [None, "asked for by the community"]

    def test_is_judged_where_it_lies(self, acting: Acting, item: Item, shown: Shown) -> None:
        """Who reviews elsewhere is a reader here."""
        _restrict(item, Change(sensitivity=Sensitivity.RESTRICTED))
        somebody = acting(Role.REGISTRAR)
        with db.transaction() as session:
            account = accounts.by_name(session, "ines")
            memberships.change(session, account, factories.collection(session), [Role.CURATOR])

        answer = somebody.get(f"/v1/analyses/{shown['analysis_id']}")

        assert answer.status_code == HTTPStatus.FORBIDDEN
