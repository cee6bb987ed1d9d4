import threading
import time
from collections.abc import Callable, Hashable, Sequence
from uuid import UUID

import pytest
import redis
from sqlalchemy import func, select, text
from sqlalchemy.exc import OperationalError
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
from worker.feed import Feed, Plan
from worker.hand import Portion
from worker.shift import Shift

pytestmark = pytest.mark.usefixtures("settings")


def waiting(count: int, **fields: object) -> list[ItemId]:
    with db.transaction() as session:
        within = factories.submission(session)
        given = {"next_attempt_at": func.now()} | fields
        made = [factories.item(session, within, **given) for _ in range(count)]
        return [ItemId(item.id) for item in made]


def by_id(item: Claimed) -> Hashable:
    return item.id


def one_name(_: Claimed) -> Hashable:
    return "the same"


def plan(
    fetch: Callable[[Claimed], int] = lambda _: 1,
    *,
    lease_seconds: float = 90,
    name: Callable[[Claimed], Hashable] = by_id,
    sift: Callable[[Sequence[Claimed]], Sequence[Claimed]] = lambda items: items,
) -> Plan[int]:
    return Plan(
        stage=Stage.PREPARE,
        fetch=fetch,
        claim=2,
        ahead=6,
        hand=6,
        threads=4,
        lease_seconds=lease_seconds,
        name=name,
        sift=sift,
    )


def fail(feed: Feed[int], portions: Sequence[Portion[int]]) -> None:
    """The shortest way to settle."""
    for portion in portions:
        items = feed.sharing(portion)
        while items:
            with db.transaction() as session:
                for item in items:
                    ledger.fail(session, item, code="test", sentence="settled")
            items = feed.settled(portion, items)


def until(true: Callable[[], bool]) -> None:
    while not true():
        time.sleep(0.01)


def in_state(state: ItemState) -> int:
    with db.transaction() as session:
        return session.scalar(select(func.count()).where(Item.state == state)) or 0


def take_away(item_id: UUID) -> None:
    """Give an item to somebody else, as the sweep and another worker would."""
    with db.transaction() as session:
        session.execute(
            text(
                "UPDATE item SET lease_token = gen_random_uuid(),"
                " lease_until = now() + interval '1 h' WHERE id = :id"
            ),
            {"id": item_id},
        )


def work_that_breaks() -> None:
    with Feed(plan(), Shift(60)) as feed:
        raise ZeroDivisionError(feed.take(2, wait=True))


def outcomes(session: Session) -> dict[Outcome | None, int]:
    rows = session.execute(select(Attempt.outcome, func.count()).group_by(Attempt.outcome))
    return dict(rows.all())


class TestFeed:
    def test_hands_out_every_item_once(self) -> None:
        ids = waiting(7)
        seen: list[ItemId] = []

        with Feed(plan(), Shift(60)) as feed:
            while portions := feed.take(2, wait=True):
                assert len(portions) <= 2
                seen += [portion.item.id for portion in portions]
                fail(feed, portions)

        assert sorted(seen) == ids

    def test_holds_no_more_than_it_was_told(self, session: Session) -> None:
        waiting(20)

        with Feed(plan(), Shift(60)) as feed:
            feed.take(2, wait=True)
            until(lambda: in_state(ItemState.LEASED) == 6)
            time.sleep(0.5)
            assert in_state(ItemState.LEASED) == 6

        assert outcomes(session) == {Outcome.RELEASED: 6}

    def test_claims_more_while_what_was_taken_is_worked_on(self) -> None:
        ids = waiting(6)

        with Feed(plan(), Shift(60)) as feed:
            taken = feed.take(2, wait=True)
            while len(taken) < len(ids):
                taken += feed.take(2, wait=False)
            fail(feed, taken)

        assert in_state(ItemState.FAILED) == 6

    def test_takes_no_longer_than_the_fetch_of_one_when_there_is_nothing_else_to_do(self) -> None:
        first, *_ = waiting(2)
        held_up = threading.Event()

        def fetch(item: Claimed) -> int:
            return 1 if item.id == first else held_up.wait(30)

        with Feed(plan(fetch), Shift(60)) as feed:
            portions = feed.take(2, wait=True)
            assert feed.has_more
            held_up.set()

        assert [portion.item.id for portion in portions] == [first]

    def test_keeps_leases_alive_while_the_work_takes_longer_than_a_lease(self) -> None:
        waiting(1)

        with Feed(plan(lease_seconds=0.6), Shift(60)) as feed:
            while portions := feed.take(2, wait=True):
                time.sleep(1.5)
                with db.transaction() as session:
                    assert sweep(session, max_attempts=4).returned == 0
                    assert ledger.lock(session, [portion.item for portion in portions])
                fail(feed, portions)

    def test_drops_what_was_taken_away_while_it_was_being_fetched(self, session: Session) -> None:
        waiting(1)

        def fetch(item: Claimed) -> int:
            take_away(item.id)
            time.sleep(0.5)
            return 1

        with Feed(plan(fetch, lease_seconds=0.3), Shift(60)) as feed:
            assert feed.take(2, wait=True) == []

        assert session.scalars(select(Item.state)).one() is ItemState.LEASED

    def test_tells_what_was_taken_away_while_it_was_worked_on(self) -> None:
        waiting(4)

        with Feed(plan(lease_seconds=0.6), Shift(60)) as feed:
            taken = feed.take(4, wait=True)
            while len(taken) < 4:
                taken += feed.take(4, wait=False)
            for item in taken[:2]:
                take_away(item.item.id)
            lost: list[Portion[int]] = []
            while not lost:
                lost += feed.lost()
            fail(feed, [portion for portion in taken if portion not in lost])

        assert {portion.name for portion in lost} == {portion.name for portion in taken[:2]}
        assert in_state(ItemState.FAILED) == 2

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
            fail(feed, feed.take(2, wait=True))
            until(lambda: in_state(ItemState.LEASED) == 6)
            shifts._told.set()
            assert feed.take(2, wait=True) == []

        assert outcomes(session) == {Outcome.FAILED: 2, Outcome.RELEASED: 6}
        assert in_state(ItemState.WAITING) == 6

    def test_finishes_what_it_holds_when_its_time_is_over_and_wakes_another(
        self, session: Session, settings: Settings
    ) -> None:
        waiting(20)
        shift = Shift(60)

        with Feed(plan(), shift) as feed:
            until(lambda: in_state(ItemState.LEASED) == 6)
            shift._end = 0
            while portions := feed.take(2, wait=True):
                fail(feed, portions)

        assert outcomes(session) == {Outcome.FAILED: 6}
        with redis.Redis.from_url(settings.broker_url.get_secret_value()) as broker:
            assert broker.llen(queue.CPU) == 1


class TestSuspects:
    def test_are_taken_in_hand_alone_and_only_when_nothing_else_is(self) -> None:
        fresh = waiting(3)
        groups: list[list[ItemId]] = []

        with Feed(plan(), Shift(60)) as feed:
            first = feed.take(1, wait=True)
            suspects = waiting(2, attempt=1)
            rest = feed.take(2, wait=True)
            while len(rest) < 2:
                rest += feed.take(2, wait=True)
            fail(feed, [*first, *rest])
            while portions := feed.take(2, wait=True):
                assert in_state(ItemState.LEASED) == 1
                groups.append([portion.item.id for portion in portions])
                fail(feed, portions)

        assert {portion.item.id for portion in (*first, *rest)} == set(fresh)
        assert groups == [[one] for one in suspects]


class TestSharing:
    def test_fetches_once_for_items_of_one_name_claimed_at_different_times(self) -> None:
        ids = waiting(3)
        fetched: list[ItemId] = []

        def fetch(item: Claimed) -> int:
            fetched.append(item.id)
            return 1

        with Feed(plan(fetch, name=one_name), Shift(60)) as feed:
            (portion,) = feed.take(2, wait=True)
            until(lambda: len(feed.sharing(portion)) == 3)
            late = waiting(1)
            until(lambda: len(feed.sharing(portion)) == 4)
            shared = feed.sharing(portion)
            fail(feed, [portion])
            assert feed.take(2, wait=True) == []

        assert fetched == ids[:1]
        assert [item.id for item in shared] == [*ids, *late]
        assert in_state(ItemState.FAILED) == 4

    def test_settles_those_too_that_came_while_the_others_were_being_settled(self) -> None:
        waiting(1)

        with Feed(plan(name=one_name), Shift(60)) as feed:
            (portion,) = feed.take(2, wait=True)
            items = feed.sharing(portion)
            (late,) = waiting(1)
            until(lambda: len(feed.sharing(portion)) == 2)
            more = feed.settled(portion, items)
            assert [item.id for item in more] == [late]
            assert feed.settled(portion, more) == []

    def test_goes_on_for_the_others_when_one_of_them_was_taken_away(self) -> None:
        first, *_ = waiting(3)

        with Feed(plan(lease_seconds=0.6, name=one_name), Shift(60)) as feed:
            (portion,) = feed.take(2, wait=True)
            until(lambda: len(feed.sharing(portion)) == 3)
            with db.transaction() as session:
                token = session.get_one(Item, first).lease_token
            for item in feed.sharing(portion):
                if item.token == token:
                    take_away(item.id)
            until(lambda: len(feed.sharing(portion)) == 1)
            assert feed.lost() == []


class TestAway:
    def test_goes_on_when_the_database_was_away_for_a_moment(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        waiting(4)
        claim, away = ledger.claim, iter([False, True, True])

        def unlucky(*args: object, **fields: object) -> list[Claimed]:
            if next(away, False):
                raise OperationalError("SELECT", {}, OSError("connection refused"))
            return claim(*args, **fields)  # type: ignore[arg-type]  # (as it was called)

        monkeypatch.setattr(ledger, "claim", unlucky)

        with Feed(plan(), Shift(60)) as feed:
            while portions := feed.take(2, wait=True):
                fail(feed, portions)

        assert in_state(ItemState.FAILED) == 4

    def test_tells_whoever_takes_what_broke_the_claiming(self, session: Session) -> None:
        waiting(4)

        def sift(items: Sequence[Claimed]) -> Sequence[Claimed]:
            raise ZeroDivisionError(items)

        with pytest.raises(ZeroDivisionError), Feed(plan(sift=sift), Shift(60)) as feed:
            feed.take(2, wait=True)

        assert set(session.scalars(select(Item.state))) == {ItemState.WAITING}


class TestStarved:
    def test_counts_the_wait_for_a_slow_store(self) -> None:
        waiting(4)

        def fetch(_: Claimed) -> int:
            time.sleep(0.3)
            return 1

        with Feed(plan(fetch), Shift(60)) as feed:
            while portions := feed.take(2, wait=True):
                fail(feed, portions)
            starved = feed.starved

        assert starved >= 0.29

    def test_does_not_count_the_wait_for_the_last_to_be_settled(self) -> None:
        waiting(1)

        with Feed(plan(), Shift(60)) as feed:
            portions = feed.take(1, wait=True)
            until(lambda: not feed.has_more)
            before = feed.starved
            settler = threading.Timer(0.6, fail, [feed, portions])
            settler.start()
            assert feed.take(1, wait=True) == []
            settler.join()
            assert feed.starved == before
