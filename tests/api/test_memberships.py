"""Roles that change, and what a member may do with what a body names."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from predella import db, ids
from predella.ids import AnalysisId
from predella.models import Collection, Role
from predella.services import accounts, analyses, memberships
from predella.settings import Settings, get_settings
from tests import factories
from tests.api import things
from tests.api.conftest import Acting
from tests.api.problems import problem
from tests.api.things import Things


@pytest.fixture
def own(settings: Settings) -> Things:
    """Things of the collection that people here are members of."""
    assert get_settings() is settings
    with db.transaction() as session:
        return things.put(session, "own")


@pytest.fixture
def foreign(settings: Settings) -> Things:
    """Things of another collection."""
    assert get_settings() is settings
    with db.transaction() as session:
        return things.put(session, "foreign")


def _member(acting: Acting, within: Things, *roles: Role, name: str = "member") -> TestClient:
    client = acting(name=name)
    with db.transaction() as session:
        account = accounts.by_name(session, name)
        collection = session.get_one(Collection, UUID(within["collection_id"]))
        memberships.change(session, account, collection, roles)
    return client


def _account(*roles: Role, name: str = "ines") -> str:
    with db.transaction() as session:
        return str(factories.account(session, *roles, name=name).id)


class TestChangeAccount:
    def test_changes_what_is_named_and_leaves_the_rest(self, admin: TestClient) -> None:
        address = f"/v1/accounts/{_account(Role.CURATOR)}"
        seen = admin.get(address).headers["ETag"]

        changed = admin.patch(address, json={"roles": ["approver"]}, headers={"If-Match": seen})

        assert changed.json()["roles"] == ["approver"]
        assert changed.json()["display_name"] == "Ines"
        assert changed.headers["ETag"] == changed.json()["etag"] != seen
        renamed = admin.patch(
            address, json={"display_name": "Inês Ōe"}, headers={"If-Match": changed.headers["ETag"]}
        )
        assert (renamed.json()["roles"], renamed.json()["display_name"]) == (
            ["approver"],
            "Inês Ōe",
        )

    def test_refuses_what_was_not_seen(self, admin: TestClient) -> None:
        address = f"/v1/accounts/{_account(Role.CURATOR)}"

        stale = admin.patch(address, json={"roles": []}, headers={"If-Match": '"old"'})
        blind = admin.patch(address, json={"roles": []})

        assert problem(stale, HTTPStatus.PRECONDITION_FAILED)["current"]["roles"] == ["curator"]
        problem(blind, HTTPStatus.PRECONDITION_REQUIRED)

    def test_the_last_admin_keeps_the_role(self, admin: TestClient) -> None:
        me = admin.get("/v1/me").json()["account"]

        refused = admin.patch(
            f"/v1/accounts/{me['id']}", json={"roles": []}, headers={"If-Match": me["etag"]}
        )

        assert problem(refused, HTTPStatus.CONFLICT)["type"] == "/problems/last-admin"
        assert admin.get("/v1/me").json()["account"]["roles"] == ["admin"]


class TestChangeMembership:
    def test_opens_the_collection_at_once_and_closes_it_again(
        self, admin: TestClient, acting: Acting, own: Things
    ) -> None:
        ines = acting(name="ines")
        me = ines.get("/v1/me").json()["account"]["id"]
        membership = f"/v1/accounts/{me}/memberships/{own['collection_id']}"
        text = f"/v1/analyses/{own['analysis_id']}"
        problem(ines.get(text), HTTPStatus.FORBIDDEN)

        given = admin.put(membership, json={"roles": ["curator"]})

        assert given.json() == {
            "collection_id": own["collection_id"],
            "collection": "own",
            "roles": ["curator"],
        }
        assert admin.get(f"/v1/accounts/{me}/memberships").json() == [given.json()]
        assert ines.get(text).status_code == HTTPStatus.OK
        assert ines.get("/v1/me").json()["collections"] == [
            {
                "collection_id": own["collection_id"],
                "collection": "own",
                "scopes": ["collections:read", "reviews:write"],
            }
        ]
        for _ in range(2):
            assert admin.delete(membership).status_code == HTTPStatus.NO_CONTENT
        problem(ines.get(text), HTTPStatus.FORBIDDEN)

    def test_refuses_no_role_a_misspelt_one_and_an_unknown_collection(
        self, admin: TestClient, own: Things
    ) -> None:
        address = f"/v1/accounts/{_account()}/memberships"

        for roles in ([], ["curater"]):
            answer = admin.put(f"{address}/{own['collection_id']}", json={"roles": roles})
            problem(answer, HTTPStatus.UNPROCESSABLE_ENTITY)
        nowhere = admin.put(f"{address}/{ids.new()}", json={"roles": ["curator"]})
        problem(nowhere, HTTPStatus.NOT_FOUND)


class TestBodies:
    @pytest.mark.parametrize(
        ("path", "body"),
        [
            ("/v1/lots", {"collection_id": "collection_id", "plan": "strict"}),
            ("/v1/controls", {"analysis_id": "analysis_id", "expected": "other"}),
            ("/v1/exports", {"collection_id": "collection_id", "format": "jsonl"}),
        ],
    )
    def test_what_lies_elsewhere_is_not_there_and_what_is_not_allowed_is_denied(
        self, acting: Acting, own: Things, foreign: Things, path: str, body: dict[str, Any]
    ) -> None:
        member = _member(acting, own, Role.APPROVER, Role.REGISTRAR)
        with db.transaction() as session:
            account = accounts.by_name(session, "member")
            elsewhere = factories.collection(session, slug="elsewhere")
            memberships.change(session, account, elsewhere, [Role.APPROVER, Role.REGISTRAR])
            here = session.get_one(Collection, UUID(own["collection_id"]))
            memberships.change(session, account, here, [Role.DIGITIZER])

        def ask(about: Things) -> Any:
            return member.post(
                path, json={key: about.get(word, word) for key, word in body.items()}
            )

        problem(ask(foreign), HTTPStatus.NOT_FOUND)
        assert problem(ask(own), HTTPStatus.FORBIDDEN)["collection"] == "own"

    def test_of_many_decisions_each_is_asked_in_its_collection(
        self, acting: Acting, own: Things, foreign: Things
    ) -> None:
        member = _member(acting, own, Role.CURATOR)
        with db.transaction() as session:
            account = accounts.by_name(session, "member")
            prints = factories.collection(session, slug="prints")
            memberships.change(session, account, prints, [Role.APPROVER])
            within = factories.submission(session, prints)
            allowed = str(factories.analysis(session, factories.item(session, within)).id)
        decision = {"decision": "approved", "revision": 0}
        named = [allowed, own["analysis_id"], foreign["analysis_id"], str(ids.new())]

        answer = member.post(
            "/v1/decisions:batch",
            json={"decisions": [decision | {"analysis_id": one} for one in named]},
        ).json()

        assert [one["status"] for one in answer["results"]] == [200, 403, 404, 404]
        assert (answer["decided"], answer["forbidden"]) == (1, 3)
        assert answer["results"][1]["problem"]["collection"] == "own"
        with db.transaction() as session:
            kept = analyses.get(session, AnalysisId(UUID(foreign["analysis_id"])))
            assert kept.review is None

    def test_claims_and_selections_keep_to_where_one_may_review(
        self, acting: Acting, own: Things, foreign: Things
    ) -> None:
        member = _member(acting, own, Role.CURATOR)
        with db.transaction() as session:
            account = accounts.by_name(session, "member")
            other = session.get_one(Collection, UUID(foreign["collection_id"]))
            memberships.change(session, account, other, [Role.REGISTRAR])

        taken = member.post("/v1/claims", json={"n": 5}).json()["data"]
        frozen = member.post("/v1/selections", json={"query": "state:needs_review"}).json()

        assert {one["collection_id"] for one in taken} == {own["collection_id"]}
        assert frozen["count"] == len(taken) == 3
        assert member.get("/v1/analyses").json()["data"][3:]

    def test_a_selection_that_reaches_where_a_role_was_lost_is_not_decided_on(
        self, acting: Acting, own: Things, foreign: Things
    ) -> None:
        member = _member(acting, own, Role.APPROVER)
        with db.transaction() as session:
            account = accounts.by_name(session, "member")
            other = session.get_one(Collection, UUID(foreign["collection_id"]))
            memberships.change(session, account, other, [Role.APPROVER])
        frozen = member.post("/v1/selections", json={"query": "state:needs_review"}).json()
        with db.transaction() as session:
            memberships.change(session, session.merge(account), session.merge(other), ["curator"])

        answer = member.post(
            f"/v1/selections/{frozen['id']}/decision",
            json={"expected_count": frozen["count"], "decision": "approved"},
        )

        assert problem(answer, HTTPStatus.FORBIDDEN)["collection"] == "foreign"


class TestSecondOpinion:
    def test_is_asked_of_who_may_review_here(
        self, acting: Acting, own: Things, foreign: Things
    ) -> None:
        member = _member(acting, own, Role.CURATOR)
        _member(acting, own, Role.CURATOR, name="here")
        _member(acting, foreign, Role.CURATOR, name="there")
        address = f"/v1/analyses/{own['analysis_id']}"
        seen = {"If-Match": member.get(address).headers["ETag"]}

        there, here = (
            member.post(f"{address}/second-opinion", json={"colleague": name}, headers=seen)
            for name in ("there", "here")
        )

        assert "of 'own'" in problem(there, HTTPStatus.UNPROCESSABLE_ENTITY)["detail"]
        assert here.status_code == HTTPStatus.OK
