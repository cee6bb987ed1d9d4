from collections.abc import Iterator
from http import HTTPStatus

import pytest
from fastapi.testclient import TestClient

from predella import db, ids
from predella.services.delivering import deliver_waiting
from predella.settings import get_settings
from tests.api.problems import problem
from tests.predella.services.endpoint import Endpoint, listening


@pytest.fixture
def endpoint(admin: TestClient, monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    assert admin
    monkeypatch.setenv("PREDELLA_WEBHOOK_KEY", "k" * 32)
    monkeypatch.setenv("PREDELLA_WEBHOOK_PRIVATE_NETWORKS", '["127.0.0.0/8"]')
    get_settings.cache_clear()
    with listening() as made:
        yield made


@pytest.fixture
def body(endpoint: Endpoint) -> dict[str, object]:
    return {"url": endpoint.url, "event_types": ["export.written"]}


class TestWebhooks:
    def test_are_added_tested_looked_up_replayed_and_disabled(
        self, admin: TestClient, endpoint: Endpoint, body: dict[str, object]
    ) -> None:
        made = admin.post("/v1/webhooks", json=body)
        assert made.status_code == HTTPStatus.CREATED, made.text
        path = f"/v1/webhooks/{made.json()['id']}"
        assert "secret" not in admin.get(path).json()

        assert admin.post(f"{path}/test").status_code == HTTPStatus.ACCEPTED
        assert deliver_waiting()
        (sent,) = admin.get(f"{path}/deliveries", params={"state": "delivered"}).json()["data"]
        again = admin.post(f"{path}/deliveries/{sent['id']}/replay")
        assert again.status_code == HTTPStatus.ACCEPTED
        assert deliver_waiting()

        shown = admin.get(f"{path}/deliveries/{sent['id']}").json()
        assert [one["status_code"] for one in shown["attempts"]] == [204, 204]
        told = endpoint.verified(made.json()["secret"])
        assert [one["type"] for one in told] == ["webhook.test"] * 2
        assert admin.delete(path).json()["disabled_at"]
        assert (
            "enable it first" in problem(admin.post(f"{path}/test"), HTTPStatus.CONFLICT)["detail"]
        )

    def test_are_changed_only_by_who_has_seen_them(
        self, admin: TestClient, body: dict[str, object]
    ) -> None:
        made = admin.post("/v1/webhooks", json=body).json()
        path = f"/v1/webhooks/{made['id']}"
        patch = {"event_types": ["lot.concluded"]}

        problem(admin.patch(path, json=patch), HTTPStatus.PRECONDITION_REQUIRED)
        seen = {"If-Match": made["etag"]}
        changed = admin.patch(path, json=patch, headers=seen).json()
        stale = admin.patch(path, json={"enabled": False}, headers=seen)

        assert (changed["event_types"], changed["url"]) == (["lot.concluded"], made["url"])
        assert problem(stale, HTTPStatus.PRECONDITION_FAILED)["current"]["etag"] == changed["etag"]

    def test_that_were_disabled_are_enabled_again(
        self, admin: TestClient, body: dict[str, object]
    ) -> None:
        path = f"/v1/webhooks/{admin.post('/v1/webhooks', json=body).json()['id']}"
        admin.delete(path)
        seen = {"If-Match": admin.get(path).headers["ETag"]}

        assert admin.patch(path, json={"enabled": True}, headers=seen).json()["disabled_at"] is None
        assert admin.post(f"{path}/test").is_success

    @pytest.mark.parametrize(
        "url",
        [
            "https://10.0.0.1/",
            "https://[::ffff:169.254.169.254]/latest/meta-data",
            "https://100.64.0.1/",
            "https://localhost.invalid/",
            "http://192.0.2.1/",
            "https://ines:secret@127.0.0.1/",
            "ftp://127.0.0.1/",
            "https://127.0.0.1:99999/",
        ],
    )
    def test_lie_in_public_and_behind_https(
        self, admin: TestClient, body: dict[str, object], url: str
    ) -> None:
        problem(
            admin.post("/v1/webhooks", json=body | {"url": url}), HTTPStatus.UNPROCESSABLE_ENTITY
        )

    def test_get_a_new_secret_five_times_at_most(
        self, admin: TestClient, body: dict[str, object]
    ) -> None:
        made = admin.post("/v1/webhooks", json=body).json()
        path = f"/v1/webhooks/{made['id']}/secret"

        secrets = {made["secret"], *(admin.post(path).json()["secret"] for _ in range(4))}

        assert len(secrets) == 5
        problem(admin.post(path), HTTPStatus.CONFLICT)

    def test_need_a_key(
        self, admin: TestClient, body: dict[str, object], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("PREDELLA_WEBHOOK_KEY")
        get_settings.cache_clear()

        refused = problem(admin.post("/v1/webhooks", json=body), HTTPStatus.CONFLICT)

        assert "PREDELLA_WEBHOOK_KEY" in refused["detail"]

    def test_are_entered_in_the_log(self, admin: TestClient, body: dict[str, object]) -> None:
        path = f"/v1/webhooks/{admin.post('/v1/webhooks', json=body).json()['id']}"
        admin.delete(path)

        log = admin.get("/v1/audit", params={"limit": 200}).json()["data"]

        assert [one["action"] for one in log if one["subject_kind"] == "webhook"] == [
            "webhook.added",
            "webhook.secret_made",
            "webhook.disabled",
        ]

    def test_that_are_not_there_are_not_found(self, admin: TestClient) -> None:
        for path in ("", "/deliveries", f"/deliveries/{ids.new()}"):
            problem(admin.get(f"/v1/webhooks/{ids.new()}{path}"), HTTPStatus.NOT_FOUND)


class TestDesk:
    def test_adds_tests_and_replays(
        self, admin: TestClient, endpoint: Endpoint, body: dict[str, object]
    ) -> None:
        form = {**body, "collection_id": "", "description": "Catalog <é>"}
        added = admin.post("/desk/webhooks", data=form)
        assert added.status_code == HTTPStatus.CREATED, added.text
        assert "whsec_" in added.text
        (webhook,) = admin.get("/v1/webhooks").json()["data"]
        path = f"/desk/webhooks/{webhook['id']}"

        endpoint.status = 500
        shown = admin.post(f"{path}/test")
        assert deliver_waiting()
        shown = admin.get(path)

        assert "it answered 500" in shown.text
        assert "whsec_" not in shown.text
        assert "Catalog &lt;é&gt;" in shown.text
        (sent,) = admin.get(f"/v1/webhooks/{webhook['id']}/deliveries").json()["data"]
        assert admin.post(f"{path}/deliveries/{sent['id']}/replay").is_success
        assert deliver_waiting()
        assert "disabled" in admin.post(f"{path}/switch", data={"enabled": "false"}).text
        assert "disabled" in admin.get("/desk/webhooks").text
        with db.transaction():
            assert len(endpoint.told) == 2
