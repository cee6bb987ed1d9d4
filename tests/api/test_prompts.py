from http import HTTPStatus

from fastapi.testclient import TestClient
from httpx2 import Response

from predella import db
from predella.models import Role
from tests import factories
from tests.api.conftest import Acting
from tests.api.problems import problem


def collection_id() -> str:
    with db.transaction() as session:
        return str(factories.collection(session).id)


class TestListPrompts:
    def test_lists_every_version_the_newest_first(
        self, admin: TestClient, curator: TestClient
    ) -> None:
        made = admin.post(
            "/v1/prompts", json={"name": "line", "kind": "element", "text": "Only outlines."}
        )

        assert (made.status_code, made.json()["id"]) == (HTTPStatus.CREATED, "line/2")
        rows = curator.get("/v1/prompts").json()
        assert [row["id"] for row in rows if row["name"] == "line"] == ["line/2", "line/1"]
        (sectioned,) = (row for row in rows if row["name"] == "sectioned")
        assert sectioned["text"] is None
        assert sectioned["sections"][0] == {"heading": "Line", "prompt_id": "line/1"}


class TestAddPrompt:
    def test_joins_sections(self, admin: TestClient) -> None:
        sections = [
            {"heading": "Linie", "prompt": "line"},
            {"heading": "Farbe", "prompt": "colour"},
        ]

        made = admin.post(
            "/v1/prompts", json={"name": "two", "kind": "formal_analysis", "sections": sections}
        )

        assert [one["prompt_id"] for one in made.json()["sections"]] == ["line/1", "colour/1"]

    def test_refuses_control_tokens(self, admin: TestClient) -> None:
        body = {"name": "mine", "kind": "element", "text": "Look. <image>"}

        refused = admin.post("/v1/prompts", json=body)

        assert refused.is_client_error
        assert "<image>" in refused.json()["detail"]

    def test_is_for_admins(self, acting: Acting) -> None:
        digitizer = acting(Role.DIGITIZER)

        assert digitizer.post("/v1/prompts", json={}).status_code == HTTPStatus.FORBIDDEN


class TestChangeCollection:
    def test_chooses_the_newest_version(self, admin: TestClient) -> None:
        place = f"/v1/collections/{collection_id()}"

        seen = {"If-Match": admin.get(place).headers["etag"]}

        changed = admin.patch(place, json={"prompt": "sectioned"}, headers=seen)

        assert changed.json()["prompt_id"] == "sectioned/1"
        assert admin.get(place).json() == changed.json()
        assert admin.get(place).headers["etag"] == changed.headers["etag"] != seen["If-Match"]

    def test_changes_what_is_named_and_takes_away_what_is_null(self, admin: TestClient) -> None:
        place = f"/v1/collections/{collection_id()}"

        def change(**said: str | None) -> Response:
            return admin.patch(
                place, json=said, headers={"If-Match": admin.get(place).headers["etag"]}
            )

        before = admin.get(place).json()
        said = {"credit_line": "Gift", "institution_uri": "https://museum.example/"}
        first = change(**said, text_rights="https://creativecommons.org/licenses/by/4.0")
        second = change(credit_line=None, concept_uri="https://museum.example/terms/7")

        assert first.json()["text_rights"] == "http://creativecommons.org/licenses/by/4.0/"
        assert first.json() | {"text_rights": None} == before | said
        assert second.json()["credit_line"] is None
        assert second.json()["institution_uri"] == "https://museum.example/"
        problem(change(name=None), HTTPStatus.UNPROCESSABLE_ENTITY)
        problem(change(concept_uri="term 7"), HTTPStatus.UNPROCESSABLE_ENTITY)

    def test_keeps_what_is_left_out(self, admin: TestClient) -> None:
        place = f"/v1/collections/{collection_id()}"

        for body in ({"number_field": "2:5"}, {"prompt": "sectioned"}, {"number_pattern": ""}):
            seen = {"If-Match": admin.get(place).headers["etag"]}
            admin.patch(place, json=body, headers=seen).raise_for_status()

        kept = admin.get(place).json()
        assert (kept["prompt_id"], kept["number_field"]) == ("sectioned/1", "2:05")
        assert kept["number_pattern"] is None

    def test_428_and_412_for_who_has_not_seen_how_it_stands(self, admin: TestClient) -> None:
        of = f"/v1/collections/{collection_id()}"
        for what, body in (
            ("", {"prompt": "sectioned"}),
            ("/thresholds", {"off": ["loop", "date", "light"]}),
            ("/review-rules", {"second_approver": True}),
        ):
            place = f"{of}{what}"
            change = admin.put if what else admin.patch
            seen = {"If-Match": admin.get(place).headers["etag"]}

            problem(change(place, json=body), HTTPStatus.PRECONDITION_REQUIRED)
            change(place, json=body, headers=seen).raise_for_status()
            stale = change(place, json=body, headers=seen)

            told = problem(stale, HTTPStatus.PRECONDITION_FAILED)
            shown = admin.get(place)
            assert stale.headers["etag"] == shown.headers["etag"]
            assert {**told["current"], "off": 0} == {**shown.json(), "off": 0}

    def test_says_what_there_is_not(self, admin: TestClient) -> None:
        place = f"/v1/collections/{collection_id()}"

        seen = {"If-Match": admin.get(place).headers["etag"]}

        unknown = admin.patch(place, json={"prompt": "haiku"}, headers=seen)

        assert unknown.status_code == HTTPStatus.NOT_FOUND
        assert admin.get(place).json()["prompt_id"] == "formal-analysis/1"
