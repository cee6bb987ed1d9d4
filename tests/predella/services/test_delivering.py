import json
import socket
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from predella import clock, db
from predella.ids import AnalysisId, CollectionId, WebhookDeliveryId, WebhookId
from predella.models import (
    Client,
    DeliveryState,
    EventType,
    Role,
    Webhook,
    WebhookDelivery,
    WebhookEvent,
)
from predella.services import deliveries, reviews, webhooks
from predella.services.delivering import deliver_waiting
from predella.services.webhooks import Wish
from predella.settings import get_settings
from tests import factories
from tests.predella.services.endpoint import Endpoint, listening


@pytest.fixture
def endpoint(settings: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    assert settings
    monkeypatch.setenv("PREDELLA_WEBHOOK_KEY", "k" * 32)
    monkeypatch.setenv("PREDELLA_WEBHOOK_PRIVATE_NETWORKS", '["127.0.0.0/8"]')
    monkeypatch.setenv("PREDELLA_PUBLIC_URL", "https://predella.museum.example")
    get_settings.cache_clear()
    with listening() as made:
        yield made


Added = tuple[WebhookId, str]


@pytest.fixture
def added(endpoint: Endpoint) -> Added:
    """A webhook for everything, and its secret."""
    with db.transaction() as session:
        account = factories.account(session, Role.ADMIN)
        wish = Wish(endpoint.url, list(EventType))
        webhook, secret = webhooks.add(session, wish, account=account)
        return WebhookId(webhook.id), secret


def _approve(*analysis_ids: UUID) -> None:
    with db.transaction() as session:
        account = factories.account(session)
        for one in analysis_ids:
            reviews.approve(
                session,
                AnalysisId(one),
                revision_number=0,
                account=account,
                client=Client.API,
            )


def _approve_in_vain(analysis_id: UUID) -> None:
    with db.transaction() as session:
        account = factories.account(session)
        reviews.approve(
            session,
            AnalysisId(analysis_id),
            revision_number=0,
            account=account,
            client=Client.API,
        )
        raise ZeroDivisionError


def _texts(number: int) -> list[UUID]:
    with db.transaction() as session:
        return [one.id for one in factories.analyses(session, number)]


def _test(webhook_id: WebhookId) -> WebhookDeliveryId:
    with db.transaction() as session:
        return WebhookDeliveryId(webhooks.test(session, webhooks.get(session, webhook_id)).id)


def _only() -> WebhookDelivery:
    with db.transaction() as session:
        found = session.scalars(select(WebhookDelivery)).one()
        session.expunge(found)
        return found


def _next_try() -> datetime:
    with db.transaction() as session:
        tried = select(WebhookDelivery).where(WebhookDelivery.attempt > 0)
        return session.scalars(tried).one().next_attempt_at


def _webhook(webhook_id: WebhookId) -> Webhook:
    with db.transaction() as session:
        found = webhooks.get(session, webhook_id)
        session.expunge_all()
        return found


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Move the clock on."""

    def move(**by: float) -> None:
        moved = clock.now() + timedelta(**by)
        monkeypatch.setattr(clock, "now", lambda: moved)

    return move


class TestDeliverWaiting:
    def test_tells_of_an_approval_signed_and_without_its_text(
        self, endpoint: Endpoint, added: Added
    ) -> None:
        (analysis_id,) = _texts(1)
        _approve(analysis_id)

        assert deliver_waiting()
        assert not deliver_waiting()

        (message,) = endpoint.verified(added[1])
        data: Any = message["data"]
        assert message["type"] == "analysis.approved"
        assert data["count"] == 1
        assert data["decisions"][0]["analysis_id"] == str(analysis_id)
        assert data["decisions"][0]["revision_sha256"] == factories.digest(factories.TEXT).hex()
        assert data["url"] == f"https://predella.museum.example/v1/analyses/{analysis_id}"
        assert factories.TEXT not in json.dumps(message)
        assert endpoint.told[0][0] == "/hook?a=b"
        assert _only().state is DeliveryState.DELIVERED

    def test_tells_of_many_decisions_of_one_transaction_once(
        self, endpoint: Endpoint, added: Added
    ) -> None:
        analysis_ids = _texts(130)
        _approve(*analysis_ids)

        while deliver_waiting():
            pass

        (message,) = endpoint.verified(added[1])
        data: Any = message["data"]
        assert data["count"] == 130
        assert [one["analysis_id"] for one in data["decisions"]] == [
            str(one) for one in analysis_ids[:100]
        ]
        assert "/v1/analyses?collection_id=" in data["url"]

    def test_knows_of_nothing_that_was_not_committed(
        self, endpoint: Endpoint, added: Added
    ) -> None:
        assert added
        (analysis_id,) = _texts(1)

        with pytest.raises(ZeroDivisionError):
            _approve_in_vain(analysis_id)

        assert not deliver_waiting()
        assert endpoint.told == []

    def test_tries_again_later_and_counts_every_try(
        self, endpoint: Endpoint, added: Added, later: Callable[..., None]
    ) -> None:
        webhook_id, _ = added
        delivery_id = _test(webhook_id)
        endpoint.status = 503

        assert deliver_waiting()
        assert not deliver_waiting()
        assert _webhook(webhook_id).failing_since
        later(minutes=2)
        endpoint.status = 200
        assert deliver_waiting()

        assert _only().state is DeliveryState.DELIVERED
        assert _webhook(webhook_id).failing_since is None
        first, second = endpoint.told
        assert first[1]["webhook-id"] == second[1]["webhook-id"]
        with db.transaction() as session:
            tried = deliveries.attempts(session, deliveries.get(session, webhook_id, delivery_id))
            assert [(one.status_code, one.error) for one in tried] == [
                (503, "it answered 503"),
                (200, None),
            ]

    def test_leaves_an_endpoint_alone_as_long_as_it_asks(
        self, endpoint: Endpoint, added: Added, later: Callable[..., None]
    ) -> None:
        asked_at = clock.now()
        for _ in range(2):
            _test(added[0])
        endpoint.status, endpoint.headers = 429, {"Retry-After": "7200"}

        assert deliver_waiting()
        later(minutes=110)
        assert not deliver_waiting()
        assert len(endpoint.told) == 1
        assert (_next_try() - asked_at) > timedelta(minutes=119)

        later(minutes=11)
        endpoint.status, endpoint.headers = 204, {}
        assert deliver_waiting()
        assert deliver_waiting()
        assert len(endpoint.told) == 3

    def test_waits_a_minute_whatever_less_an_endpoint_asks(
        self, endpoint: Endpoint, added: Added, later: Callable[..., None]
    ) -> None:
        _test(added[0])
        endpoint.status, endpoint.headers = 503, {"Retry-After": "1"}

        assert deliver_waiting()
        later(seconds=50)
        assert not deliver_waiting()

    def test_tries_what_is_down_once_a_minute_however_much_waits(
        self, endpoint: Endpoint, added: Added, later: Callable[..., None]
    ) -> None:
        for _ in range(5):
            _test(added[0])
        endpoint.status = 500

        assert deliver_waiting()
        assert not deliver_waiting()
        later(minutes=1)
        assert deliver_waiting()
        assert not deliver_waiting()

        assert len(endpoint.told) == 2

    def test_gives_up_after_three_days_and_disables_the_webhook(
        self, endpoint: Endpoint, added: Added, later: Callable[..., None]
    ) -> None:
        webhook_id, _ = added
        _test(webhook_id)
        endpoint.status = 500

        for _ in range(20):
            deliver_waiting()
            later(hours=24)

        assert 4 <= len(endpoint.told) <= 11
        assert _only().state is DeliveryState.FAILED
        assert "nothing has arrived since" in (_webhook(webhook_id).disabled_reason or "")

    def test_disables_a_webhook_that_is_gone_and_fails_what_waits(
        self, endpoint: Endpoint, added: Added
    ) -> None:
        webhook_id, _ = added
        _test(webhook_id)
        _test(webhook_id)
        endpoint.status = 410

        assert deliver_waiting()
        assert not deliver_waiting()

        assert _webhook(webhook_id).disabled_reason == "it answered 410 Gone"
        with db.transaction() as session:
            states = session.scalars(select(WebhookDelivery.state)).all()
            assert list(states) == [DeliveryState.FAILED] * 2

    def test_follows_no_redirect(self, endpoint: Endpoint, added: Added) -> None:
        _test(added[0])
        endpoint.status = 307
        endpoint.headers = {"Location": endpoint.url.replace("/hook", "/other")}

        assert deliver_waiting()

        assert [path for path, _, _ in endpoint.told] == ["/hook?a=b"]
        assert "redirects are not followed" in (_only().error or "")

    def test_sends_nothing_where_the_name_leads_to_a_private_address_by_now(
        self, endpoint: Endpoint, added: Added, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _test(added[0])
        monkeypatch.delenv("PREDELLA_WEBHOOK_PRIVATE_NETWORKS")
        get_settings.cache_clear()

        assert deliver_waiting()

        assert endpoint.told == []
        assert "not public" in (_only().error or "")

    def test_connects_to_the_address_that_was_judged_and_resolves_no_second_time(
        self, endpoint: Endpoint, added: Added, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        port = endpoint.url.rpartition(":")[2].partition("/")[0]
        with db.transaction() as session:
            webhook = webhooks.get(session, added[0])
            webhook.url = f"http://rebinding.example:{port}/hook"
        asked: list[str] = []
        real = socket.getaddrinfo

        def rebinding(host: str, *args: Any, **more: Any) -> Any:
            if host != "rebinding.example":
                return real(host, *args, **more)
            asked.append(host)
            return real("127.0.0.1" if len(asked) == 1 else "192.0.2.1", *args, **more)

        _test(added[0])
        monkeypatch.setattr(socket, "getaddrinfo", rebinding)

        assert deliver_waiting()

        assert asked == ["rebinding.example"]
        assert endpoint.told[0][1]["Host"] == f"rebinding.example:{port}"

    def test_is_repeated_when_its_worker_died_over_it(
        self, endpoint: Endpoint, added: Added, later: Callable[..., None]
    ) -> None:
        _test(added[0])
        with db.transaction() as session:
            assert deliveries.claim(session)

        assert not deliver_waiting()
        later(minutes=1)
        assert deliver_waiting()

        assert len(endpoint.told) == 1

    def test_notes_that_the_key_is_gone_and_loses_nothing(
        self, endpoint: Endpoint, added: Added, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _test(added[0])
        monkeypatch.setattr(
            "predella.services.signatures.get_settings",
            lambda: get_settings().model_copy(update={"webhook_key": None}),
        )

        assert deliver_waiting()

        assert endpoint.told == []
        assert "PREDELLA_WEBHOOK_KEY" in (_only().error or "")


class TestReplay:
    def test_sends_the_same_message_under_the_same_id(
        self, endpoint: Endpoint, added: Added
    ) -> None:
        webhook_id, secret = added
        delivery_id = _test(webhook_id)
        assert deliver_waiting()

        with db.transaction() as session:
            deliveries.replay(session, webhook_id, delivery_id)
        assert deliver_waiting()

        first, second = endpoint.verified(secret)
        assert first == second
        assert endpoint.told[0][1]["webhook-id"] == endpoint.told[1][1]["webhook-id"]


class TestRotate:
    def test_lets_the_old_secret_sign_for_a_day(
        self, endpoint: Endpoint, added: Added, later: Callable[..., None]
    ) -> None:
        webhook_id, old = added
        with db.transaction() as session:
            new = webhooks.rotate(session, webhooks.get(session, webhook_id))

        _test(webhook_id)
        assert deliver_waiting()

        assert endpoint.verified(old) == endpoint.verified(new)
        later(hours=24, seconds=1)
        with db.transaction() as session:
            assert len(webhooks.secret_ids(session, webhooks.get(session, webhook_id))) == 1

    def test_shows_another_secret_for_another_key(
        self, added: Added, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from predella.services import signatures

        with db.transaction() as session:
            (secret_id,) = webhooks.secret_ids(session, webhooks.get(session, added[0]))
        assert signatures.secret(secret_id) == added[1]
        other = get_settings().model_copy(update={"webhook_key": SecretStr("l" * 32)})
        monkeypatch.setattr(signatures, "get_settings", lambda: other)

        assert signatures.secret(secret_id) != added[1]


class TestEvents:
    def test_that_nobody_listens_for_are_not_written_down(
        self, endpoint: Endpoint, session: Session
    ) -> None:
        with db.transaction() as own:
            account = factories.account(own, Role.ADMIN)
            elsewhere = factories.collection(own)
            wish = Wish(endpoint.url, [EventType.EXPORT_WRITTEN])
            webhooks.add(own, wish, account=account)
            wish = Wish(endpoint.url, list(EventType), collection_id=CollectionId(elsewhere.id))
            webhooks.add(own, wish, account=account)

        _approve(*_texts(1))

        assert session.scalar(select(func.count()).select_from(WebhookEvent)) == 0
