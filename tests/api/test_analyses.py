from http import HTTPStatus
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from predella import db, ids
from predella.models import Analysis, Decision, Image, Review
from predella.services import images
from tests import factories
from tests.api.problems import problem
from tests.services import Bucket

_NOTICE = "A demonstration checkpoint wrote this: do not publish it."


@pytest.fixture
def analysis_id(curator: TestClient) -> UUID:
    assert curator
    with db.transaction() as session:
        item = factories.item(session, object_number="SK-A-1", title="Het straatje")
        release = factories.release(session, notice=_NOTICE)
        return factories.analysis(session, item, text="Æ low horizon.", by=release).id


class TestGetAnalysis:
    def test_shows_the_text_with_its_notice_and_its_object(
        self, curator: TestClient, analysis_id: UUID
    ) -> None:
        response = curator.get(f"/v1/analyses/{analysis_id}")

        shown = response.json()
        assert shown["text"] == "Æ low horizon."
        assert shown["notice"] == _NOTICE
        assert shown["state"] == "needs_review"
        assert [item["object_number"] for item in shown["items"]] == ["SK-A-1"]
        assert response.headers["etag"] == shown["etag"] == '"r0.0"'

    def test_every_wording_and_every_decision_has_an_etag_of_its_own(
        self, curator: TestClient, analysis_id: UUID
    ) -> None:
        path = f"/v1/analyses/{analysis_id}"
        tags = [curator.get(path).headers["etag"]]
        for step in (_amend, _approve, _reopen):
            step(analysis_id)
            tags.append(curator.get(path).headers["etag"])

        assert len(set(tags)) == len(tags)

    def test_404_for_an_unknown_one(self, curator: TestClient) -> None:
        for path in ("", "/history", "/provenance", "/image"):
            response = curator.get(f"/v1/analyses/{ids.new()}{path}")

            problem(response, HTTPStatus.NOT_FOUND)


def _amend(analysis_id: UUID) -> None:
    with db.transaction() as session:
        author = factories.account(session)
        analysis = session.get_one(Analysis, analysis_id)
        factories.revision(session, analysis, text="A lower horizon.", account=author)


def _approve(analysis_id: UUID) -> None:
    with db.transaction() as session:
        factories.review(session, session.get_one(Analysis, analysis_id))


def _reopen(analysis_id: UUID) -> None:
    with db.transaction() as session:
        analysis = session.get_one(Analysis, analysis_id)
        undone = session.scalars(select(Review).filter_by(analysis_id=analysis_id)).one()
        factories.review(session, analysis, Decision.REOPENED, undoes_id=undone.id)


class TestListAnalyses:
    def test_filters_by_collection_submission_and_state(
        self, curator: TestClient, analysis_id: UUID
    ) -> None:
        shown = curator.get(f"/v1/analyses/{analysis_id}").json()
        with db.transaction() as session:
            other = factories.approved(session)
            other_id = str(other.analysis_id)
            other_submission, other_collection = other.submission_id, other.collection_id

        def listed(**filters: object) -> list[str]:
            page = curator.get("/v1/analyses", params={k: str(v) for k, v in filters.items()})
            return [row["id"] for row in page.json()["data"]]

        assert listed() == [str(analysis_id), other_id]
        assert listed(collection_id=shown["collection_id"]) == [str(analysis_id)]
        assert listed(submission_id=other_submission) == [other_id]
        assert listed(state="needs_review") == [str(analysis_id)]
        assert listed(collection_id=other_collection, state="rejected") == []

    def test_finds_by_query_in_an_order_page_by_page(self, curator: TestClient) -> None:
        with db.transaction() as session:
            within = factories.submission(session, factories.collection(session, slug="sk"))
            made = [str(one.id) for one in factories.analyses(session, 3, within)]
            factories.approved(session)
        params = {"query": "collection:sk state:needs_review", "order": "newest", "limit": "2"}

        first = curator.get("/v1/analyses", params=params)
        second = curator.get(first.links["next"]["url"])

        shown = [row["id"] for page in (first, second) for row in page.json()["data"]]
        assert shown == made[::-1]
        assert second.json()["next"] is None

    def test_422_for_a_query_or_a_cursor_that_cannot_be_understood(
        self, curator: TestClient
    ) -> None:
        first = curator.get("/v1/analyses", params={"query": "state:lost"})
        assert problem(first, HTTPStatus.UNPROCESSABLE_ENTITY)["position"] == 7

        second = curator.get("/v1/analyses", params={"order": "risk", "cursor": "eA"})
        problem(second, HTTPStatus.UNPROCESSABLE_ENTITY)


class TestGetProvenance:
    def test_names_the_release_the_picture_and_the_wording(
        self, curator: TestClient, analysis_id: UUID
    ) -> None:
        provenance = curator.get(f"/v1/analyses/{analysis_id}/provenance").json()

        assert provenance["notice"] == _NOTICE
        assert provenance["release"]["weights_sha256"] == "ab" * 32
        assert provenance["raw_text"] == "Æ low horizon."
        assert provenance["revision"]["text_sha256"] == factories.digest("Æ low horizon.").hex()


class TestGetImage:
    def test_streams_the_picture_for_curators(
        self, curator: TestClient, analysis_id: UUID, s3: Bucket
    ) -> None:
        jpeg = bytes(range(256)) * 4000
        with db.transaction() as session:
            image = session.get_one(Analysis, analysis_id)
            picture = session.get_one(Image, image.image_id)
            key = images.review_key(picture.collection_id, picture.sha256, picture.preprocessing)
        s3.store.put(s3.name, key, jpeg, media_type="image/jpeg")

        response = curator.get(f"/v1/analyses/{analysis_id}/image")

        assert response.content == jpeg
        assert response.headers["content-type"] == "image/jpeg"
        assert response.headers["cache-control"] == "private, max-age=86400"
        assert response.headers["x-content-type-options"] == "nosniff"

    def test_404_when_the_picture_is_gone(self, curator: TestClient, analysis_id: UUID) -> None:
        response = curator.get(f"/v1/analyses/{analysis_id}/image")

        assert problem(response, HTTPStatus.NOT_FOUND)["type"] == "/problems/missing-object"
