import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from predella import clock
from predella.ids import CollectionId, ItemId
from predella.models import (
    Account,
    EventType,
    ExportState,
    ItemState,
    Role,
    SubmissionState,
    WebhookDelivery,
    WebhookEvent,
)
from predella.services import items, webhooks
from predella.services.sweep import sweep
from predella.services.webhooks import Wish
from predella.settings import Settings, get_settings
from tests import factories


@pytest.fixture
def account(settings: Settings, monkeypatch: pytest.MonkeyPatch, session: Session) -> Account:
    """An administrator who has a webhook for everything."""
    assert settings
    monkeypatch.setenv("PREDELLA_WEBHOOK_KEY", "k" * 32)
    monkeypatch.setenv("PREDELLA_WEBHOOK_PRIVATE_NETWORKS", '["127.0.0.0/8"]')
    get_settings.cache_clear()
    made = factories.account(session, Role.ADMIN)
    webhooks.add(session, Wish("https://127.0.0.1/", list(EventType)), account=made)
    return made


def _told(session: Session) -> list[str]:
    return list(session.scalars(select(WebhookEvent.type).order_by(WebhookEvent.id)))


class TestEvents:
    def test_tell_of_an_export_that_ended_once(self, session: Session, account: Account) -> None:
        assert account
        export = factories.export(session)
        export.line_count = 3
        session.flush()
        assert _told(session) == []

        export.state, export.error = ExportState.FAILED, "no"
        session.flush()

        assert _told(session) == ["export.failed"]

    def test_tell_of_a_hand_in_when_its_last_item_has_ended_and_again_after_a_requeue(
        self, session: Session, account: Account
    ) -> None:
        assert account
        item = factories.item(session)
        sweep(session, max_attempts=4)
        assert _told(session) == []

        for _ in range(2):
            item.state, item.error_code, item.error = ItemState.FAILED, "gave_up", "no"
            item.finished_at = clock.now()
            session.flush()
            sweep(session, max_attempts=4)
            sweep(session, max_attempts=4)
            assert items.requeue(session, item_ids=[ItemId(item.id)]) == 1
            session.expire_all()

        assert _told(session) == ["submission.finished"] * 2

    def test_tell_of_a_hand_in_that_was_refused_as_a_whole(
        self, session: Session, account: Account
    ) -> None:
        assert account
        factories.submission(session, state=SubmissionState.REFUSED, refusal="no manifest")

        sweep(session, max_attempts=4)

        assert _told(session) == ["submission.finished"]

    def test_reach_each_webhook_that_listens(self, session: Session, account: Account) -> None:
        export = factories.export(session)
        types, here = [EventType.EXPORT_FAILED], CollectionId(export.collection_id)
        elsewhere = CollectionId(factories.collection(session).id)
        for within in (here, elsewhere):
            wish = Wish("https://127.0.0.1/", types, collection_id=within)
            webhooks.add(session, wish, account=account)

        export.state, export.error = ExportState.FAILED, "no"
        session.flush()

        told = session.scalars(select(WebhookDelivery.webhook_id)).all()
        assert len(told) == len(set(told)) == 2
