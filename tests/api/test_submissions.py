from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import pytest
from fastapi.testclient import TestClient
from redis import Redis

from predella import db, ids
from predella.models import ItemState, Role
from predella.services import submissions
from tests import factories
from tests.api.conftest import Acting
from tests.api.problems import problem
from tests.pictures import tiny
from tests.services import Bucket

_MANIFEST = """\
object_number,filename,title
SK-1,one.jpg,Één
SK-2,two.jpg,Two
SK-3,missing.jpg,Three
"""


@pytest.fixture
def digitizer(acting: Acting) -> TestClient:
    return acting(Role.DIGITIZER, name="digitizer")


@pytest.fixture
def collection(admin: TestClient, s3: Bucket) -> dict[str, Any]:
    for key in ("one.jpg", "two.jpg"):
        s3.client.put_object(Bucket=s3.name, Key=f"prints/{key}", Body=tiny(key))
    s3.client.put_object(Bucket=s3.name, Key="prints/manifest.csv", Body=_MANIFEST.encode())
    body = {
        "slug": "prints",
        "name": "Prints",
        "institution": "Museum of Examples",
        "bucket": s3.name,
        "prefix": "prints/",
    }
    made: dict[str, Any] = admin.post("/v1/collections", json=body).json()
    return made


class TestNumberField:
    def test_is_told_as_it_applied(
        self, digitizer: TestClient, collection: dict[str, Any], s3: Bucket
    ) -> None:
        hand_in = f"/v1/collections/{collection['id']}/submissions"
        body = {"source": f"s3://{s3.name}/prints/manifest.csv", "number_field": "DC:identifier"}

        made = digitizer.post(hand_in, json=body).json()
        refused = digitizer.post(hand_in, json=body | {"number_field": "number"})

        assert made["number_field"] == "dc:identifier"
        told = problem(refused, HTTPStatus.UNPROCESSABLE_ENTITY)
        assert "is no field of a picture" in told["detail"]


HandIn = Callable[[], dict[str, Any]]


@pytest.fixture
def hand_in(digitizer: TestClient, collection: dict[str, Any], s3: Bucket) -> HandIn:
    def submit() -> dict[str, Any]:
        response = digitizer.post(
            f"/v1/collections/{collection['id']}/submissions",
            json={"source": f"s3://{s3.name}/prints/manifest.csv", "title": "Box 12"},
        )
        assert response.status_code == HTTPStatus.ACCEPTED, response.text
        made: dict[str, Any] = response.json()
        assert response.headers["location"] == f"/v1/operations/{made['id']}"
        return made

    return submit


class TestCreateSubmission:
    def test_answers_at_once_and_wakes_a_worker(self, hand_in: HandIn, redis_url: str) -> None:
        made = hand_in()

        assert made["state"] == "receiving"
        with Redis.from_url(redis_url) as redis:
            assert redis.llen("cpu") == 1

    def test_404_for_an_unknown_collection(self, digitizer: TestClient) -> None:
        response = digitizer.post(
            f"/v1/collections/{ids.new()}/submissions", json={"source": "s3://bucket/m.csv"}
        )

        problem(response, HTTPStatus.NOT_FOUND)

    def test_422_for_a_source_outside_the_collection(
        self, digitizer: TestClient, collection: dict[str, Any]
    ) -> None:
        for source in (
            "s3://another-bucket/manifest.csv",
            "/etc/passwd",
            "http://169.254.169.254/latest",
            "s3://arn:aws:s3:eu-west-1:123:accesspoint/x/m.csv",
            "",
        ):
            response = digitizer.post(
                f"/v1/collections/{collection['id']}/submissions", json={"source": source}
            )

            problem(response, HTTPStatus.UNPROCESSABLE_ENTITY)


class TestGetSubmission:
    def test_tells_what_became_of_every_row(
        self, digitizer: TestClient, hand_in: HandIn, s3: Bucket
    ) -> None:
        made = hand_in()
        submissions.receive_waiting(s3.store)

        report = digitizer.get(f"/v1/submissions/{made['id']}").json()

        assert report["state"] == "received"
        assert (report["rows_read"], report["rows_accepted"], report["rows_refused"]) == (3, 2, 1)
        assert report["progress"]["preparing"] == 2
        (refused,) = report["refused"]
        assert refused == {"code": "missing_file", "count": 1, "harmless": False}

    def test_404_for_an_unknown_one(self, digitizer: TestClient) -> None:
        for path in ("", "/items", "/refusals"):
            response = digitizer.get(f"/v1/submissions/{ids.new()}{path}")

            problem(response, HTTPStatus.NOT_FOUND)


class TestListSubmissions:
    def test_shows_those_of_one_collection(
        self, digitizer: TestClient, collection: dict[str, Any], hand_in: HandIn
    ) -> None:
        with db.transaction() as session:
            factories.submission(session)
        made = hand_in()

        page = digitizer.get(f"/v1/collections/{collection['id']}/submissions").json()

        assert [row["id"] for row in page["data"]] == [made["id"]]


class TestListRefusals:
    def test_says_why_in_words(self, digitizer: TestClient, hand_in: HandIn, s3: Bucket) -> None:
        made = hand_in()
        submissions.receive_waiting(s3.store)

        (refusal,) = digitizer.get(f"/v1/submissions/{made['id']}/refusals").json()["data"]

        assert refusal["row_number"] == 4
        assert refusal["object_number"] == "SK-3"
        assert 'There is no file "missing.jpg"' in refusal["sentence"]


class TestListItems:
    def test_shows_each_item_and_filters_by_state(self, digitizer: TestClient) -> None:
        with db.transaction() as session:
            submission = factories.submission(session)
            waiting = factories.item(session, submission)
            failed = factories.item(
                session,
                submission,
                state=ItemState.FAILED,
                error_code="truncated",
                error="The file ends too early.",
            )
            path = f"/v1/submissions/{submission.id}/items"
            expected = [str(waiting.id), str(failed.id)]

        every = digitizer.get(path).json()["data"]
        only = digitizer.get(path, params={"state": "failed"}).json()["data"]
        misspelt = digitizer.get(path, params={"state": "faild"})

        assert [row["id"] for row in every] == expected
        assert [row["error"] for row in only] == ["The file ends too early."]
        problem(misspelt, HTTPStatus.UNPROCESSABLE_ENTITY)


class TestRequeue:
    def test_tries_the_named_failures_again(self, digitizer: TestClient) -> None:
        with db.transaction() as session:
            submission = factories.submission(session)
            for code in ("gave_up", "truncated"):
                factories.item(
                    session, submission, state=ItemState.FAILED, error_code=code, error=code
                )
            path = f"/v1/submissions/{submission.id}"

        response = digitizer.post(f"{path}/requeue", json={"codes": ["gave_up"]})

        assert response.status_code == HTTPStatus.ACCEPTED
        assert response.json() == {"requeued": 1}
        progress = digitizer.get(path).json()["progress"]
        assert (progress["preparing"], progress["failed"]) == (1, 1)

    def test_a_second_click_finds_nothing(self, digitizer: TestClient) -> None:
        with db.transaction() as session:
            failed = factories.item(
                session, state=ItemState.FAILED, error_code="gave_up", error="gave up"
            )
            path = f"/v1/submissions/{failed.submission_id}/requeue"

        counts = [digitizer.post(path, json={}).json()["requeued"] for _click in range(2)]

        assert counts == [1, 0]


class TestWithdrawal:
    def test_takes_a_hand_in_back_and_brings_it_back(
        self, digitizer: TestClient, hand_in: HandIn, s3: Bucket
    ) -> None:
        path = f"/v1/submissions/{hand_in()['id']}"
        assert submissions.receive_waiting(s3.store)

        taken = digitizer.post(f"{path}/withdrawal", json={"reason": "The wrong box."})
        progress = digitizer.get(path).json()["progress"]
        back = digitizer.post(f"{path}/restoration", json={"reason": "The right one."})

        assert (taken.json()["is_withdrawn"], progress["withdrawn"]) == (True, 2)
        assert (back.json()["is_withdrawn"], back.json()["reason"]) == (False, "The right one.")

    def test_of_what_is_still_being_read_conflicts(
        self, digitizer: TestClient, hand_in: HandIn
    ) -> None:
        path = f"/v1/submissions/{hand_in()['id']}/withdrawal"

        answer = digitizer.post(path, json={"reason": "The wrong box."})

        assert answer.status_code == HTTPStatus.CONFLICT

    def test_at_the_desk_asks_why_and_offers_the_way_back(
        self, digitizer: TestClient, hand_in: HandIn, s3: Bucket
    ) -> None:
        page = f"/desk/submissions/{hand_in()['id']}"
        assert submissions.receive_waiting(s3.store)

        answer = digitizer.post(f"{page}/withdrawal", data={"reason": "The wrong box."})

        assert "The wrong box." in answer.text
        assert f"{page}/restoration" in answer.text


class TestPreview:
    def test_holds_the_rest_until_it_is_released(
        self, digitizer: TestClient, collection: dict[str, Any], s3: Bucket
    ) -> None:
        body = {"source": f"s3://{s3.name}/prints/manifest.csv", "preview": 1}
        made = digitizer.post(f"/v1/collections/{collection['id']}/submissions", json=body)
        path = f"/v1/submissions/{made.json()['id']}"
        assert submissions.receive_waiting(s3.store)
        held = digitizer.get(path).json()

        released = digitizer.post(f"{path}/release")

        assert (held["is_held"], held["progress"]["held"]) == (True, 1)
        assert released.json() == {"released": 1}
        assert digitizer.get(path).json()["progress"]["preparing"] == 2
