import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from predella import clock
from predella.ids import AnalysisId, CollectionId, ItemId, LotId, SubmissionId
from predella.models import (
    Account,
    Client,
    Collection,
    EventType,
    ExportState,
    Item,
    ItemState,
    RejectionReason,
    Role,
    SubmissionState,
    WebhookDelivery,
    WebhookEvent,
)
from predella.sampling import Plan
from predella.services import items, lots, reviews, webhooks, withdrawals
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

    def test_tell_again_of_a_hand_in_that_was_withdrawn_and_restored(
        self, session: Session, account: Account
    ) -> None:
        item = factories.item(session)
        factories.analysis(session, item)
        within = SubmissionId(item.submission_id)
        sweep(session, max_attempts=4)

        withdrawals.withdraw(session, within, account=account, reason="the wrong scans")
        sweep(session, max_attempts=4)
        in_between = _told(session)
        for _ in range(2):
            withdrawals.restore(session, within, account=account, reason="they were right")
            sweep(session, max_attempts=4)

        assert in_between == ["submission.finished"]
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

    def test_tell_of_a_decision_and_of_its_undoing(
        self, session: Session, account: Account
    ) -> None:
        analysis = factories.analysis(session)
        reviews.reject(
            session,
            AnalysisId(analysis.id),
            revision_number=0,
            account=account,
            client=Client.CLI,
            reason=RejectionReason.OTHER,
        )
        reviews.undo(session, AnalysisId(analysis.id), account=account, client=Client.CLI)

        assert _told(session) == ["analysis.rejected", "analysis.reopened"]

    def test_tell_of_a_lot_that_is_concluded_and_of_its_reversal(
        self, session: Session, account: Account
    ) -> None:
        made = factories.analysis(session)
        within = session.get_one(Item, made.item_id)
        lot = lots.create(
            session,
            collection=session.get_one(Collection, within.collection_id),
            plan=Plan.QUICK_LOOK,
            account=account,
        )
        reviews.approve(
            session,
            AnalysisId(made.id),
            revision_number=0,
            account=account,
            client=Client.CLI,
        )
        lots.conclude(session, LotId(lot.id), account=account, client=Client.CLI)
        lots.revert(session, LotId(lot.id), account=account, client=Client.CLI)

        assert _told(session)[1:] == ["lot.concluded", "lot.reverted"]

    def test_wait_until_the_rest_behind_a_preview_has_ended(
        self, session: Session, account: Account
    ) -> None:
        assert account
        submission = factories.submission(session)
        factories.item(session, submission, state=ItemState.HELD)

        sweep(session, max_attempts=4)

        assert _told(session) == []
