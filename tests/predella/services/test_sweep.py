from datetime import timedelta
from typing import Any

import pytest
import redis
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from predella import clock, db, ids, queue
from predella.models import (
    Analysis,
    Answer,
    Attempt,
    Decision,
    Export,
    ExportState,
    Item,
    ItemState,
    Outcome,
    Selection,
    SelectionMember,
    Stage,
    Submission,
    SubmissionState,
)
from predella.services import ledger
from predella.services.ledger import Claimed
from predella.services.sweep import Swept, sweep
from predella.settings import Settings
from tests import factories

LONG_AGO = timedelta(minutes=1)


def waiting(session: Session, **fields: Any) -> Item:
    return factories.item(session, next_attempt_at=clock.now() - LONG_AGO, **fields)


def silent(session: Session) -> list[Claimed]:
    claimed = ledger.claim(session, Stage.PREPARE, worker="test:1", limit=9, lease_seconds=90)
    session.execute(
        text("UPDATE item SET lease_until = now() - interval '1 s' WHERE state = 'leased'")
    )
    return claimed


def fresh(session: Session, item: Claimed) -> Item:
    session.expire_all()
    return session.get_one(Item, item.id)


class TestItems:
    def test_take_nothing_from_a_worker_that_is_alive(self, session: Session) -> None:
        waiting(session)
        (held,) = ledger.claim(session, Stage.PREPARE, worker="test:1", limit=9, lease_seconds=90)

        assert sweep(session, max_attempts=4).returned == 0
        assert fresh(session, held).state is ItemState.LEASED

    def test_go_back_with_their_attempt_counted_and_the_zombie_shut_out(
        self, session: Session
    ) -> None:
        waiting(session)
        (zombie,) = silent(session)

        swept = sweep(session, max_attempts=4)

        assert (swept.returned, swept.given_up) == (1, 0)
        row = fresh(session, zombie)
        assert (row.state, row.attempt, row.lease_token) == (ItemState.WAITING, 1, None)
        (attempt,) = session.scalars(select(Attempt).filter_by(item_id=zombie.id))
        assert attempt.outcome is Outcome.LOST
        assert attempt.ended_at is not None
        assert ledger.fail(session, zombie, code="truncated", sentence="") == set()

    def test_are_given_up_with_a_sentence_when_they_took_their_worker_down_too_often(
        self, session: Session
    ) -> None:
        waiting(session, attempt=3)
        (poison,) = silent(session)

        assert sweep(session, max_attempts=4).given_up == 1

        row = fresh(session, poison)
        assert (row.state, row.error_code) == (ItemState.FAILED, ledger.GAVE_UP)
        assert row.error is not None
        assert "4 times" in row.error


class TestSubmissions:
    def test_come_free_or_are_refused(self, session: Session) -> None:
        lease: dict[str, Any] = {
            "state": SubmissionState.RECEIVING,
            "received_at": None,
            "lease_token": ids.new(),
            "lease_until": clock.now() - LONG_AGO,
        }
        first = factories.submission(session, attempt=1, **lease)
        last = factories.submission(session, attempt=4, **lease)

        swept = sweep(session, max_attempts=4)

        assert swept.others == 2
        assert swept.waiting[queue.RECEIVE] == 1
        session.expire_all()
        assert session.get_one(Submission, first.id).state is SubmissionState.RECEIVING
        refused = session.get_one(Submission, last.id)
        assert refused.state is SubmissionState.REFUSED
        assert refused.refusal is not None
        assert "4 times" in refused.refusal


class TestExports:
    def test_come_free_or_fail(self, session: Session) -> None:
        lease: dict[str, Any] = {"lease_token": ids.new(), "lease_until": clock.now() - LONG_AGO}
        first = factories.export(session, attempt=1, **lease)
        last = factories.export(session, attempt=4, **lease)

        sweep(session, max_attempts=4)

        session.expire_all()
        assert session.get_one(Export, first.id).lease_token is None
        assert session.get_one(Export, last.id).state is ExportState.FAILED


class TestRings:
    def test_count_what_is_ready(self, session: Session) -> None:
        for _ in range(6):
            waiting(session)
        waiting(session, state=ItemState.WITHHELD, ai_processing=False)
        waiting(session).next_attempt_at = clock.now() + LONG_AGO
        session.flush()

        assert sweep(session, max_attempts=4).waiting == {
            queue.RECEIVE: 0,
            queue.EXPORT: 0,
            queue.ZOOM: 0,
            queue.DELIVER: 0,
            queue.PREPARE: 6,
            queue.ANALYZE: 0,
        }

    @pytest.mark.usefixtures("database_url")
    def test_leave_it_to_another_sweep_that_is_at_it(self, session: Session) -> None:
        waiting(session)
        session.commit()
        with Session(session.get_bind()) as other:
            sweep(other, max_attempts=4)
            assert sweep(session, max_attempts=4) == Swept()

    def test_wake_workers_but_never_fill_the_broker(self, settings: Settings) -> None:
        with db.transaction() as session:
            for _ in range(20):
                waiting(session)
        for _ in range(3):
            with db.transaction() as session:
                sweep(session, max_attempts=4)

        with redis.Redis.from_url(settings.broker_url.get_secret_value()) as broker:
            assert broker.llen(queue.CPU) == 4
            assert broker.llen(queue.GPU) == 0


class TestSelections:
    def test_are_forgotten_with_their_members_once_nobody_may_decide_on_them(
        self, session: Session
    ) -> None:
        made = factories.analysis(session)
        old = _frozen(session, made, timedelta(hours=-2))
        good = _frozen(session, made, timedelta(hours=2))
        just_over = _frozen(session, made, timedelta(minutes=-2))
        used = _frozen(session, made, timedelta(hours=-2))
        factories.review(session, made, Decision.REJECTED, selection_id=used.id)

        assert sweep(session, max_attempts=4).forgotten == 1

        for left in (Selection.id, SelectionMember.selection_id):
            kept = set(session.scalars(select(left)))
            assert old.id not in kept
            assert kept >= {good.id, just_over.id, used.id}
        assert sweep(session, max_attempts=4).forgotten == 0

    def test_the_database_lets_none_go_before_its_time(self, session: Session) -> None:
        good = _frozen(session, factories.analysis(session), timedelta(hours=2))

        with pytest.raises(DBAPIError, match="selection"), session.begin_nested():
            session.execute(delete(Selection).where(Selection.id == good.id))
        with pytest.raises(DBAPIError, match="selection"), session.begin_nested():
            session.execute(update(Selection).values(id=Selection.id))
        with pytest.raises(DBAPIError, match="permission denied"), session.begin_nested():
            session.execute(delete(SelectionMember))


def _frozen(session: Session, made: Analysis, ends_in: timedelta) -> Selection:
    wording = factories.newest_revision(session, made)
    selection = Selection(
        account=factories.account(session),
        query="",
        count=1,
        sha256=bytes(32),
        expires_at=clock.now() + ends_in,
    )
    session.add(selection)
    session.flush()
    session.add(
        SelectionMember(
            selection_id=selection.id,
            number=1,
            analysis_id=made.id,
            revision_id=wording.id,
            revision_sha256=wording.sha256,
        )
    )
    session.flush()
    return selection


class TestAnswers:
    def test_are_kept_for_a_day(self, session: Session) -> None:
        account = factories.account(session)
        for key, hours in (("young", 23), ("old", 25)):
            session.add(
                Answer(
                    account_id=account.id,
                    created_at=clock.now() - timedelta(hours=hours),
                    key=key,
                    request="POST /v1/exports",
                    sha256=factories.digest("{}"),
                    status=202,
                    headers={},
                    body=b"{}",
                )
            )
        session.flush()

        sweep(session, max_attempts=4)

        assert session.scalars(select(Answer.key)).all() == ["young"]
