from http import HTTPStatus

from fastapi import FastAPI
from fastapi.testclient import TestClient

from predella import storage
from predella.settings import Settings
from tests.api.faults import database_away
from tests.services import UrlOf


class TestIsAlive:
    def test_asks_nobody_and_needs_no_token(self, stranger: TestClient) -> None:
        assert stranger.get("/livez").json() == {"status": "alive"}


class TestIsReady:
    def test_the_database_and_the_store_answer(self, stranger: TestClient) -> None:
        response = stranger.get("/readyz")

        assert response.status_code == HTTPStatus.OK
        assert response.json() == {"database": "ok", "store": "ok"}

    def test_503_names_the_store_that_refuses_our_keys(
        self, app: FastAPI, stranger: TestClient, settings: Settings
    ) -> None:
        foreign = storage.connect(settings.model_copy(update={"s3_access_key_id": "foreign"}))

        app.dependency_overrides[storage.store] = lambda: foreign

        response = stranger.get("/readyz")

        app.dependency_overrides.clear()

        assert response.status_code == HTTPStatus.SERVICE_UNAVAILABLE
        assert response.json() == {"database": "ok", "store": "silent"}

    def test_503_names_the_database_that_is_away(
        self, stranger: TestClient, postgres: UrlOf
    ) -> None:
        with database_away(postgres):
            response = stranger.get("/readyz")

        assert response.status_code == HTTPStatus.SERVICE_UNAVAILABLE
        assert response.json() == {"database": "silent", "store": "ok"}
