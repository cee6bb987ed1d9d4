from collections.abc import Iterator

import pytest

from predella import db
from predella.models import Role
from predella.services import accounts
from predella.services.delivering import deliver_waiting
from predella.settings import Settings, get_settings
from tests.predella.cli.running import Run, runner
from tests.predella.services.endpoint import Endpoint, listening


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with listening() as made:
        yield made


@pytest.fixture
def run(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    assert settings
    with db.transaction() as session:
        account = accounts.add(session, name="ines", display_name="Inês", roles=[Role.ADMIN])
        token = accounts.issue_token(session, account, name="test")[1]
    monkeypatch.setenv("PREDELLA_TOKEN", token)
    monkeypatch.setenv("PREDELLA_WEBHOOK_KEY", "k" * 32)
    monkeypatch.setenv("PREDELLA_WEBHOOK_PRIVATE_NETWORKS", '["127.0.0.0/8"]')
    get_settings.cache_clear()
    return runner(capsys)


class TestWebhook:
    def test_is_added_tested_rotated_replayed_and_removed(
        self, run: Run, endpoint: Endpoint
    ) -> None:
        added = run("webhook", "add", endpoint.url, "--event", "export.written", "--json").json
        webhook_id = added["id"]
        assert run("webhook", "list", "--json").json[0]["event_types"] == ["export.written"]
        assert endpoint.url in run("webhook", "show", webhook_id).out
        rotated = run("webhook", "rotate", webhook_id)
        assert rotated.out.startswith("whsec_")
        assert "not shown again" in rotated.err

        sent = run("webhook", "test", webhook_id, "--json").json
        assert deliver_waiting()
        assert "delivered" in run("webhook", "deliveries", webhook_id, "--state", "delivered").out
        assert run("webhook", "replay", webhook_id, sent["id"]).code == 0
        assert deliver_waiting()

        assert len(endpoint.verified(added["secret"])) == 2
        assert endpoint.verified(added["secret"]) == endpoint.verified(rotated.out.strip())
        assert run("webhook", "remove", webhook_id, "--json").json["disabled_at"]
        assert run("webhook", "test", webhook_id).code == 5
        assert run("webhook", "enable", webhook_id).code == 0

    def test_that_lies_within_the_house_is_refused_in_words(self, run: Run) -> None:
        refused = run("webhook", "add", "https://10.0.0.1/", "--event", "export.written")

        assert refused.code == 2
        assert "not public" in refused.err
