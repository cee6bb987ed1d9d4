from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import func, select

from predella import db, ids
from predella.models import Analysis, Review, Role
from tests import factories
from tests.api.conftest import Acting
from tests.api.problems import problem


@pytest.fixture
def path(approver: TestClient) -> str:
    """The address of an analysis that needs review."""
    assert approver
    with db.transaction() as session:
        return f"/v1/analyses/{factories.analysis(session, text='A low horizon.').id}"


Post = Callable[..., Response]


@pytest.fixture
def post(approver: TestClient, path: str) -> Post:
    """Post as somebody who has just looked, unless they say what they saw."""

    def send(
        what: str, seen: str | None = None, by: TestClient = approver, **body: Any
    ) -> Response:
        seen = seen or by.get(path).headers["etag"]
        return by.post(f"{path}/{what}", json=body, headers={"If-Match": seen})

    return send


def _ok(response: Response) -> dict[str, Any]:
    assert response.status_code == HTTPStatus.OK, response.text
    shown: dict[str, Any] = response.json()
    assert response.headers["etag"] == shown["etag"]
    return shown


class TestAmend:
    def test_shows_the_new_wording_and_its_etag(self, post: Post) -> None:
        shown = _ok(post("revisions", text="A  lower horizon. \u200b"))

        assert shown["text"].startswith("A")
        assert shown["revision"] == 1
        assert shown["state"] == "needs_review"
        assert shown["etag"] == '"r1.0"'

    def test_422_for_a_text_without_words(self, post: Post) -> None:
        response = post("revisions", text=" \n ")

        assert "reject it" in problem(response, HTTPStatus.UNPROCESSABLE_ENTITY)["detail"]

    def test_409_once_it_is_approved(self, post: Post) -> None:
        post("approval")

        body = problem(post("revisions", text="A lower horizon."), HTTPStatus.CONFLICT)

        assert body["type"] == "/problems/already-decided"
        assert body["decision"] == "approved"


_NEED_IF_MATCH = [
    "revisions",
    "approval",
    "amended-approval",
    "second-opinion",
    "rejection",
    "undo",
]


class TestPreconditions:
    @pytest.mark.parametrize("what", _NEED_IF_MATCH)
    def test_428_unless_the_caller_says_what_they_saw(
        self, approver: TestClient, path: str, what: str
    ) -> None:
        body = _for(what, {"text": "A lower horizon.", "reason": "style"})
        for headers in ({}, {"If-Match": ""}, {"If-Match": "*"}, {"If-Match": " , "}):
            response = approver.post(f"{path}/{what}", json=body, headers=headers)

            problem(response, HTTPStatus.PRECONDITION_REQUIRED)

    @pytest.mark.parametrize("what", _NEED_IF_MATCH)
    def test_412_carries_what_it_is_now_and_changes_nothing(
        self, approver: TestClient, post: Post, path: str, what: str
    ) -> None:
        seen = approver.get(path).headers["etag"]
        current = _ok(post("revisions", text="A lower horizon."))
        body = {"text": "A high horizon.", "reason": "style"}

        response = post(what, seen=seen, **_for(what, body))

        assert problem(response, HTTPStatus.PRECONDITION_FAILED)["current"] == current
        assert response.headers["etag"] == current["etag"]
        assert approver.get(path).json() == current

    def test_only_the_very_tag_matches(self, post: Post) -> None:
        for seen in ('W/"r0.0"', "r0.0", '"r0.0', '"R0.0"', '"r0.0.0"'):
            problem(post("approval", seen=seen), HTTPStatus.PRECONDITION_FAILED)

    def test_one_of_several_tags_is_enough(self, post: Post) -> None:
        _ok(post("approval", seen='"r9.9", "r0.0"'))

    def test_404_before_anything_is_compared(self, approver: TestClient) -> None:
        response = approver.post(
            f"/v1/analyses/{ids.new()}/approval", json={}, headers={"If-Match": '"r0.0"'}
        )

        problem(response, HTTPStatus.NOT_FOUND)


def _for(what: str, body: dict[str, str]) -> dict[str, str]:
    takes = {"revisions": {"text"}, "amended-approval": {"text"}, "rejection": {"reason"}}.get(
        what, set()
    )
    return {name: value for name, value in body.items() if name in takes}


class TestApprove:
    def test_the_wording_that_was_seen_is_approved_through_the_api(
        self, approver: TestClient, post: Post, path: str
    ) -> None:
        post("revisions", text="A lower horizon.")

        assert _ok(post("approval", note="Compared."))["state"] == "approved"

        newest = approver.get(f"{path}/history").json()[-1]
        assert newest["step"] == "decision"
        assert newest["decision"] == "approved"
        assert newest["revision"] == 1
        assert newest["revision_sha256"] == factories.digest("A lower horizon.").hex()
        assert (newest["client"], newest["note"]) == ("api", "Compared.")

    def test_a_curator_may_not(self, curator: TestClient, post: Post) -> None:
        body = problem(post("approval", by=curator), HTTPStatus.FORBIDDEN)

        assert body["scope"] == "approvals:write"


class TestAmendedApproval:
    def test_the_wording_is_written_and_approved(
        self, approver: TestClient, post: Post, path: str
    ) -> None:
        shown = _ok(post("amended-approval", text="A lower horizon.", seconds_seen=41.5))

        assert (shown["state"], shown["etag"]) == ("approved", '"r1.1"')
        written, decided = approver.get(f"{path}/history").json()[-2:]
        assert (written["text"], written["edit_distance"]) == ("A lower horizon.", 2)
        assert written["share_kept"] == 2 / 3
        assert (decided["revision"], decided["seconds_seen"]) == (1, 41.5)

    def test_409_and_nothing_is_written_where_a_check_forbids_the_approval(
        self, approver: TestClient, post: Post, path: str
    ) -> None:
        response = post("amended-approval", text="As an AI language model, I see a vase.")

        assert "leak" in problem(response, HTTPStatus.CONFLICT)["checks"]
        assert len(approver.get(f"{path}/history").json()) == 1

    def test_a_curator_may_not(self, curator: TestClient, post: Post) -> None:
        problem(post("amended-approval", by=curator, text="A vase."), HTTPStatus.FORBIDDEN)

    @pytest.mark.parametrize("seconds", [-1, 86_401, "long"])
    def test_422_for_a_time_that_nobody_reads(self, post: Post, seconds: object) -> None:
        for what in ("approval", "amended-approval", "rejection"):
            body = _for(what, {"text": "A vase.", "reason": "style"})
            response = post(what, seconds_seen=seconds, **body)

            problem(response, HTTPStatus.UNPROCESSABLE_ENTITY)


class TestSecondOpinion:
    def test_is_asked_of_a_colleague_by_name(
        self, approver: TestClient, curator: TestClient, post: Post, path: str
    ) -> None:
        shown = _ok(post("second-opinion", colleague="curator", note="Is it a vase?"))

        assert shown["state"] == "needs_second"
        asked = approver.get(f"{path}/history").json()[-1]
        assert (asked["decision"], asked["asked"]) == ("needs_second", "curator Ōe")
        claimed = curator.post("/v1/claims", json={}).json()["data"]
        assert [row["state"] for row in claimed] == ["needs_second"]

    def test_or_of_whoever_comes_and_undone(
        self, approver: TestClient, post: Post, path: str
    ) -> None:
        _ok(post("second-opinion"))
        assert approver.get(f"{path}/history").json()[-1]["asked"] is None

        assert _ok(post("undo"))["state"] == "needs_review"

    def test_404_for_an_account_that_does_not_exist(self, post: Post) -> None:
        problem(post("second-opinion", colleague="nobody"), HTTPStatus.NOT_FOUND)

    def test_422_when_asked_of_oneself(self, post: Post) -> None:
        response = post("second-opinion", colleague="approver")

        problem(response, HTTPStatus.UNPROCESSABLE_ENTITY)


class TestSecondApprover:
    def test_409_for_who_wrote_the_wording(
        self, admin: TestClient, approver: TestClient, curator: TestClient, post: Post, path: str
    ) -> None:
        collection_id = approver.get(path).json()["collection_id"]
        rules = f"/v1/collections/{collection_id}/review-rules"
        seen = {"If-Match": admin.get(rules).headers["etag"]}
        admin.put(rules, json={"second_approver": True}, headers=seen).raise_for_status()
        _ok(post("revisions", text="A lower horizon."))

        chosen = curator.get(rules).json()
        assert (chosen["reading_floor"], chosen["second_approver"]) == (True, True)
        body = problem(post("approval"), HTTPStatus.CONFLICT)
        assert body["type"] == "/problems/second-approver"

    def test_422_for_a_rule_that_there_is_not(
        self, admin: TestClient, approver: TestClient, path: str
    ) -> None:
        collection_id = approver.get(path).json()["collection_id"]

        response = admin.put(
            f"/v1/collections/{collection_id}/review-rules",
            json={"third_approver": True},
            headers={"If-Match": '"any"'},
        )

        problem(response, HTTPStatus.UNPROCESSABLE_ENTITY)


class TestReject:
    def test_a_curator_may_and_says_why(self, curator: TestClient, post: Post, path: str) -> None:
        shown = _ok(post("rejection", by=curator, reason="colour", note="It is green."))

        assert shown["state"] == "rejected"
        newest = curator.get(f"{path}/history").json()[-1]
        assert (newest["reason"], newest["decided_by"]) == ("colour", "curator Ōe")

    def test_422_without_a_reason_or_with_one_of_ones_own(self, post: Post) -> None:
        for body in ({}, {"reason": "boring"}):
            problem(post("rejection", **body), HTTPStatus.UNPROCESSABLE_ENTITY)


class TestUndo:
    def test_takes_back_step_after_step_and_then_says_there_is_none(self, post: Post) -> None:
        post("revisions", text="A lower horizon.")
        post("approval")

        reopened = _ok(post("undo"))
        restored = _ok(post("undo"))
        response = post("undo")

        assert (reopened["state"], reopened["text"]) == ("needs_review", "A lower horizon.")
        assert restored["text"] == "A low horizon."
        assert problem(response, HTTPStatus.CONFLICT)["type"] == "/problems/nothing-to-undo"

    def test_a_curator_may_not_take_back_an_approval(self, curator: TestClient, post: Post) -> None:
        post("approval")

        body = problem(post("undo", by=curator), HTTPStatus.FORBIDDEN)

        assert body["scope"] == "approvals:write"

    def test_a_second_click_takes_back_one_step_only(
        self, approver: TestClient, post: Post, path: str
    ) -> None:
        post("revisions", text="A lower horizon.")
        post("approval")
        seen = approver.get(path).headers["etag"]

        first, second = (post("undo", seen=seen) for _click in range(2))

        assert _ok(first)["text"] == "A lower horizon."
        problem(second, HTTPStatus.PRECONDITION_FAILED)


class TestAtOnce:
    """Several people with the same page open; each round is a fresh analysis."""

    @pytest.mark.parametrize("_round", range(5))
    def test_of_several_decisions_on_one_state_one_counts(
        self, acting: Acting, path: str, post: Post, _round: int
    ) -> None:
        people = [acting(Role.APPROVER, name=f"person-{number}") for number in range(4)]
        whats = ["approval", "rejection", "revisions", "undo"]
        post("revisions", text="A lower horizon.")
        bodies = [{}, {"reason": "style"}, {"text": "A high horizon."}, {}]

        def decide(number: int) -> Response:
            return people[number].post(
                f"{path}/{whats[number]}", json=bodies[number], headers={"If-Match": '"r1.0"'}
            )

        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(decide, range(4)))

        statuses = sorted(answer.status_code for answer in answers)
        assert statuses == [HTTPStatus.OK, *[HTTPStatus.PRECONDITION_FAILED] * 3]


class TestDecideMany:
    def test_decides_each_and_tells_of_each(self, approver: TestClient) -> None:
        ready, stale, decided, rejected = _analyses(4)
        _amend(stale)
        _approve(decided)
        unknown = ids.new()

        response = approver.post(
            "/v1/decisions:batch",
            json={
                "decisions": [
                    _approval(ready),
                    _approval(stale),
                    _approval(decided),
                    _approval(unknown),
                    _approval(rejected) | {"decision": "rejected", "reason": "style"},
                    _approval(ready),
                ]
            },
        )

        body = response.json()
        assert response.status_code == HTTPStatus.OK
        assert (body["decided"], body["forbidden"]) == (2, 4)
        assert [result["status"] for result in body["results"]] == [200, 412, 409, 404, 200, 409]
        assert body["results"][0]["etag"] == '"r0.1"'
        assert body["results"][1]["problem"]["type"] == "/problems/stale-revision"
        assert body["results"][1]["problem"]["newest"] == 1
        shown = approver.get(f"/v1/analyses/{ready}")
        assert (shown.json()["state"], shown.headers["etag"]) == ("approved", '"r0.1"')

    def test_409_for_all_or_nothing_where_one_is_forbidden(self, approver: TestClient) -> None:
        ready, stale = _analyses(2)
        _amend(stale)
        body: dict[str, Any] = {"decisions": [_approval(ready), _approval(stale)], "atomic": True}

        refused = problem(approver.post("/v1/decisions:batch", json=body), HTTPStatus.CONFLICT)

        assert (refused["type"], refused["forbidden"]) == ("/problems/batch-refused", 1)
        (why,) = refused["results"]
        assert (why["analysis_id"], why["status"]) == (str(stale), HTTPStatus.PRECONDITION_FAILED)
        assert approver.get(f"/v1/analyses/{ready}").json()["state"] == "needs_review"

        body["decisions"] = [_approval(ready)]
        assert approver.post("/v1/decisions:batch", json=body).json()["decided"] == 1

    def test_approves_five_hundred_in_one_request(self, approver: TestClient) -> None:
        many = _analyses(500)

        body = {"decisions": [_approval(analysis_id) for analysis_id in many]}
        response = approver.post("/v1/decisions:batch", json=body)

        assert response.json()["decided"] == 500
        with db.transaction() as session:
            assert session.scalar(select(func.count()).select_from(Review)) == 500

    def test_422_for_more_than_five_hundred_or_none(self, approver: TestClient) -> None:
        for number in (0, 501):
            body = {"decisions": [_approval(ids.new())] * number}

            response = approver.post("/v1/decisions:batch", json=body)

            problem(response, HTTPStatus.UNPROCESSABLE_ENTITY)

    def test_a_curator_may_reject_but_not_smuggle_an_approval_in(self, curator: TestClient) -> None:
        first, second = _analyses(2)
        rejection = _approval(first) | {"decision": "rejected", "reason": "style"}

        mixed = curator.post(
            "/v1/decisions:batch", json={"decisions": [rejection, _approval(second)]}
        )
        alone = curator.post("/v1/decisions:batch", json={"decisions": [rejection]})

        assert problem(mixed, HTTPStatus.FORBIDDEN)["scope"] == "approvals:write"
        assert alone.json()["decided"] == 1

    def test_a_batch_cannot_reopen(self, approver: TestClient) -> None:
        body = {"decisions": [_approval(ids.new()) | {"decision": "reopened"}]}

        problem(approver.post("/v1/decisions:batch", json=body), HTTPStatus.UNPROCESSABLE_ENTITY)


def _analyses(number: int) -> list[UUID]:
    with db.transaction() as session:
        submission, release = factories.submission(session), factories.release(session)
        return [
            factories.analysis(session, factories.item(session, submission), by=release).id
            for _ in range(number)
        ]


def _amend(analysis_id: UUID) -> None:
    with db.transaction() as session:
        analysis = session.get_one(Analysis, analysis_id)
        author = factories.account(session)
        factories.revision(session, analysis, text="A lower horizon.", account=author)


def _approve(analysis_id: UUID) -> None:
    with db.transaction() as session:
        factories.review(session, session.get_one(Analysis, analysis_id))


def _approval(analysis_id: UUID) -> dict[str, Any]:
    return {"analysis_id": str(analysis_id), "revision": 0, "decision": "approved"}
