from base64 import urlsafe_b64encode
from hashlib import sha256
from http import HTTPStatus
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from predella import db, ids
from predella.formats import profiles
from predella.ids import CollectionId
from predella.models import ExportFormat, Role
from predella.services import exports, gates
from predella.services.gates import Change
from tests import factories
from tests.api.conftest import Acting
from tests.api.problems import problem
from tests.services import Bucket


@pytest.fixture
def registrar(acting: Acting) -> TestClient:
    return acting(Role.REGISTRAR, name="registrar")


@pytest.fixture
def collection_id(registrar: TestClient) -> UUID:
    """A collection with three approved texts."""
    assert registrar
    with db.transaction() as session:
        collection = factories.collection(session, slug="prints")
        submission = factories.submission(session, collection)
        for number in range(3):
            factories.approved(session, submission, object_number=f"SK-{number}")
        return collection.id


@pytest.fixture
def export_id(registrar: TestClient, collection_id: UUID) -> str:
    """An export of it that was asked for."""
    body = {"collection_id": str(collection_id), "format": "jsonl"}
    response = registrar.post("/v1/exports", json=body)
    assert response.status_code == HTTPStatus.ACCEPTED, response.text
    made: str = response.json()["id"]
    assert response.headers["location"] == f"/v1/operations/{made}"
    return made


class TestCreateExport:
    def test_is_written_by_a_worker_and_then_shown_as_written(
        self, registrar: TestClient, export_id: str, s3: Bucket
    ) -> None:
        before = registrar.get(f"/v1/exports/{export_id}").json()
        exports.write_waiting(s3.store)
        after = registrar.get(f"/v1/exports/{export_id}").json()

        assert (before["state"], before["sha256"]) == ("writing", None)
        assert (after["state"], after["line_count"]) == ("written", 3)
        assert registrar.get(f"/v1/operations/{export_id}").json()["state"] == "succeeded"

    def test_422_for_a_destination_outside_our_own_folder(
        self, registrar: TestClient, collection_id: UUID, s3: Bucket
    ) -> None:
        for destination in ("s3://foreign/exports/a.csv", f"s3://{s3.name}/prepared/x", "/etc/x"):
            body = {
                "collection_id": str(collection_id),
                "format": "csv",
                "destination": destination,
            }

            problem(registrar.post("/v1/exports", json=body), HTTPStatus.UNPROCESSABLE_ENTITY)

    def test_has_only_what_changed_since_another_and_what_is_withdrawn(
        self, registrar: TestClient, collection_id: UUID, export_id: str, s3: Bucket
    ) -> None:
        exports.write_waiting(s3.store)
        with db.transaction() as session:
            closed, by = Change(exportable=False), factories.account(session)
            of = CollectionId(collection_id)
            gates.change(session, of, "SK-1", closed, account=by, reason="a letter")
        body = {"collection_id": str(collection_id), "format": "jsonl", "since": export_id}

        made = registrar.post("/v1/exports", json=body).json()
        exports.write_waiting(s3.store)

        shown = registrar.get(f"/v1/exports/{made['id']}").json()
        assert (shown["line_count"], shown["withdrawn_count"]) == (1, 1)
        assert shown["since"] == registrar.get(f"/v1/exports/{export_id}").json()["written_at"]
        (line,) = registrar.get(f"/v1/exports/{made['id']}/lines").json()["data"]
        assert (line["object_number"], line["is_withdrawn"]) == ("SK-1", True)

    @pytest.mark.parametrize(
        ("fields", "status"),
        [
            ({"since": str(ids.new())}, HTTPStatus.NOT_FOUND),
            ({"since": "yesterday"}, HTTPStatus.UNPROCESSABLE_ENTITY),
            ({"format": "paintingform", "since": "2026-01-01"}, HTTPStatus.UNPROCESSABLE_ENTITY),
            ({"format": "linked-art"}, HTTPStatus.UNPROCESSABLE_ENTITY),
            ({"format": "csv", "profile": "columns: {A: text}"}, HTTPStatus.UNPROCESSABLE_ENTITY),
            ({"format": "csv", "profile": "\x00"}, HTTPStatus.UNPROCESSABLE_ENTITY),
            ({"format": "lido", "profile": ""}, HTTPStatus.UNPROCESSABLE_ENTITY),
        ],
    )
    def test_refuses_what_could_not_be_written(
        self,
        registrar: TestClient,
        collection_id: UUID,
        fields: dict[str, str],
        status: HTTPStatus,
    ) -> None:
        body = {"collection_id": str(collection_id), "format": "jsonl", **fields}

        problem(registrar.post("/v1/exports", json=body), status)

    def test_404_for_an_unknown_collection(self, registrar: TestClient) -> None:
        body = {"collection_id": str(ids.new()), "format": "lido"}

        problem(registrar.post("/v1/exports", json=body), HTTPStatus.NOT_FOUND)


class TestListExports:
    def test_filters_by_collection(self, registrar: TestClient, export_id: str) -> None:
        with db.transaction() as session:
            other = factories.export(session)
            other_id, other_collection = str(other.id), str(other.collection_id)

        every = registrar.get("/v1/exports").json()["data"]
        only = registrar.get("/v1/exports", params={"collection_id": other_collection}).json()

        assert [row["id"] for row in every] == [export_id, other_id]
        assert [row["id"] for row in only["data"]] == [other_id]


class TestListLines:
    def test_pages_through_what_left(
        self, registrar: TestClient, export_id: str, s3: Bucket
    ) -> None:
        exports.write_waiting(s3.store)
        path = f"/v1/exports/{export_id}/lines"

        first = registrar.get(path, params={"limit": 2}).json()
        second = registrar.get(path, params={"limit": 2, "cursor": first["next"]}).json()

        lines = [*first["data"], *second["data"]]
        assert [line["number"] for line in lines] == [1, 2, 3]
        assert [line["object_number"] for line in lines] == ["SK-0", "SK-1", "SK-2"]
        assert lines[0]["revision_sha256"] == factories.digest(factories.TEXT).hex()
        assert second["next"] is None

    def test_refuses_a_cursor_that_no_line_can_have(
        self, registrar: TestClient, export_id: str
    ) -> None:
        for number in ("99999999999", "-1", "1.5", ids.new().hex):
            cursor = urlsafe_b64encode(number.encode()).decode()

            response = registrar.get(f"/v1/exports/{export_id}/lines", params={"cursor": cursor})

            problem(response, HTTPStatus.UNPROCESSABLE_ENTITY)


class TestGetFile:
    def test_downloads_the_very_bytes_that_were_written(
        self, registrar: TestClient, export_id: str, s3: Bucket
    ) -> None:
        exports.write_waiting(s3.store)

        response = registrar.get(f"/v1/exports/{export_id}/file")

        shown = registrar.get(f"/v1/exports/{export_id}").json()
        assert sha256(response.content).hexdigest() == shown["sha256"]
        assert response.headers["content-length"] == str(shown["size"])
        assert response.headers["content-disposition"] == (
            f'attachment; filename="prints-{export_id}.jsonl"'
        )

    @pytest.mark.parametrize(
        ("wanted", "start", "stop"),
        [("bytes=0-9", 0, 10), ("bytes=10-", 10, None), ("bytes=-7", -7, None)],
    )
    def test_sends_the_piece_that_is_lacking(
        self,
        registrar: TestClient,
        export_id: str,
        s3: Bucket,
        wanted: str,
        start: int,
        stop: int | None,
    ) -> None:
        exports.write_waiting(s3.store)
        whole = registrar.get(f"/v1/exports/{export_id}/file")

        piece = registrar.get(
            f"/v1/exports/{export_id}/file",
            headers={"Range": wanted, "If-Range": whole.headers["etag"]},
        )

        assert piece.status_code == HTTPStatus.PARTIAL_CONTENT
        assert piece.content == whole.content[start:stop]
        size = len(whole.content)
        places = range(size)[start:stop]
        assert piece.headers["content-range"] == f"bytes {places[0]}-{places[-1]}/{size}"
        assert piece.headers["content-length"] == str(len(piece.content))

    def test_sends_all_of_it_to_who_has_a_piece_of_another_file(
        self, registrar: TestClient, export_id: str, s3: Bucket
    ) -> None:
        exports.write_waiting(s3.store)
        path = f"/v1/exports/{export_id}/file"

        other = registrar.get(path, headers={"Range": "bytes=5-", "If-Range": '"0"'})
        odd = registrar.get(path, headers={"Range": "lines=5-"})

        assert (other.status_code, odd.status_code) == (HTTPStatus.OK, HTTPStatus.OK)
        assert other.content == odd.content == registrar.get(path).content

    def test_416_for_bytes_that_it_does_not_have(
        self, registrar: TestClient, export_id: str, s3: Bucket
    ) -> None:
        exports.write_waiting(s3.store)

        response = registrar.get(
            f"/v1/exports/{export_id}/file", headers={"Range": "bytes=999999-"}
        )

        problem(response, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
        size = registrar.get(f"/v1/exports/{export_id}").json()["size"]
        assert response.headers["content-range"] == f"bytes */{size}"

    def test_409_while_it_is_being_written(self, registrar: TestClient, export_id: str) -> None:
        problem(registrar.get(f"/v1/exports/{export_id}/file"), HTTPStatus.CONFLICT)

    def test_404_for_an_unknown_export(self, registrar: TestClient) -> None:
        for path in ("", "/lines", "/file"):
            response = registrar.get(f"/v1/exports/{ids.new()}{path}")

            problem(response, HTTPStatus.NOT_FOUND)


class TestGetMapping:
    def test_downloads_what_tells_the_importer_of_the_columns(self, registrar: TestClient) -> None:
        with db.transaction() as session:
            id_ = factories.export(session, format=ExportFormat.COLLECTIVEACCESS).id

        response = registrar.get(f"/v1/exports/{id_}/mapping")

        assert response.content == profiles.mapping("collectiveaccess")
        assert response.headers["content-disposition"].endswith(f'-{id_}-mapping.csv"')

    def test_422_for_a_format_whose_importer_needs_none(
        self, registrar: TestClient, export_id: str
    ) -> None:
        answer = registrar.get(f"/v1/exports/{export_id}/mapping")

        assert "mapping sheet" in problem(answer, HTTPStatus.UNPROCESSABLE_ENTITY)["detail"]
