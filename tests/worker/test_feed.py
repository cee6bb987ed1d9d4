import threading
import time
from collections.abc import Callable, Sequence

import pytest
import redis
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from predella import db, queue
from predella.ids import ItemId
from predella.models import Attempt, Item, ItemState, Outcome, Stage
from predella.services import ledger
from predella.services.ledger import Claimed
from predella.services.sweep import sweep
from predella.settings import Settings
from tests import factories
from worker import shift as shifts
from worker.feed import Feed, Fetched, Plan
from worker.shift import Shift

pytestmark = pytest.mark.usefixtures("settings")


def waiting(count: int) -> list[ItemId]:
    with db.transaction() as session:
        within = factories.submission(session)
        made = [factories.item(session, within, next_attempt_at=func.now()) for _ in range(count)]
        return [ItemId(item.id) for item in made]


def plan(
    fetch: Callable[[Claimed], int] = lambda _: 1, *, lease_seconds: float = 90, group: int = 2
) -> Plan[int]:
    return Plan(
        stage=Stage.PREPARE,
        fetch=fetch,
        group=group,
        ahead=3 * group,
        threads=4,
        lease_seconds=lease_seconds,
    )


def fail(group: Sequence[Fetched[int]]) -> None:
    """The shortest way to settle."""
    with db.transaction() as session:
        for one in group:
            ledger.fail(session, one.item, code="test", sentence="settled")


def work_that_breaks() -> None:
    with Feed(plan(), Shift(60)) as feed:
        raise ZeroDivisionError(next(iter(feed)))


def outcomes(session: Session) -> dict[Outcome | None, int]:
    rows = session.execute(select(Attempt.outcome, func.count()).group_by(Attempt.outcome))
    return dict(rows.all())


class TestFeed:
    def test_hands_out_every_item_once_in_groups(self) -> None:
        ids = waiting(7)
        seen: list[ItemId] = []

        with Feed(plan(), Shift(60)) as feed:
            for group in feed:
                assert len(group) <= 2
                seen += [one.item.id for one in group]
                fail(group)

        assert sorted(seen) == ids

    def test_holds_no_more_than_it_was_told(self, session: Session) -> None:
        waiting(20)

        with Feed(plan(), Shift(60)) as feed:
            next(iter(feed))
            leased = select(func.count()).where(Item.state == ItemState.LEASED)
            assert session.scalar(leased) == 6

        assert outcomes(session) == {Outcome.RELEASED: 6}

    def test_keeps_leases_alive_while_the_work_takes_longer_than_a_lease(self) -> None:
        waiting(1)

        with Feed(plan(lease_seconds=0.6), Shift(60)) as feed:
            for group in feed:
                time.sleep(1.5)
                with db.transaction() as session:
                    assert sweep(session, max_attempts=4).returned == 0
                    assert ledger.lock(session, [one.item for one in group])
                fail(group)

    def test_drops_what_was_taken_away_while_it_was_being_fetched(self, session: Session) -> None:
        waiting(1)
        taken = threading.Event()

        def fetch(_: Claimed) -> int:
            with db.transaction() as own:
                own.execute(
                    text(
                        "UPDATE item SET lease_token = gen_random_uuid(),"
                        " lease_until = now() + interval '1 h'"
                    )
                )
            taken.set()
            time.sleep(0.5)
            return 1

        with Feed(plan(fetch, lease_seconds=0.3), Shift(60)) as feed:
            groups = list(feed)

        assert taken.is_set()
        assert groups == []
        assert session.scalars(select(Item.state)).one() is ItemState.LEASED

    def test_gives_back_what_is_not_settled_when_the_work_breaks(self, session: Session) -> None:
        waiting(5)

        with pytest.raises(ZeroDivisionError):
            work_that_breaks()

        assert session.scalar(select(func.max(Item.attempt))) == 0
        assert set(session.scalars(select(Item.state))) == {ItemState.WAITING}

    def test_gives_back_at_once_when_the_worker_is_being_stopped(
        self, session: Session, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        waiting(8)
        monkeypatch.setattr(shifts, "_told", threading.Event())

        with Feed(plan(), Shift(60)) as feed:
            for group in feed:
                fail(group)
                shifts._told.set()

        assert outcomes(session) == {Outcome.FAILED: 2, Outcome.RELEASED: 4}
        assert session.scalar(select(func.count()).where(Item.state == ItemState.WAITING)) == 6

    def test_finishes_what_it_holds_when_its_time_is_over_and_wakes_another(
        self, session: Session, settings: Settings
    ) -> None:
        waiting(8)
        shift = Shift(60)

        with Feed(plan(group=2), shift) as feed:
            for group in feed:
                fail(group)
                shift._end = 0

        assert outcomes(session) == {Outcome.FAILED: 6}
        with redis.Redis.from_url(settings.broker_url.get_secret_value()) as broker:
            assert broker.llen(queue.CPU) == 1
