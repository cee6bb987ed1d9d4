from datetime import timedelta
from typing import Any

import pytest
import redis
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from predella import clock, db, ids, queue
from predella.models import (
    Attempt,
    Export,
    ExportState,
    Item,
    ItemState,
    Outcome,
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
