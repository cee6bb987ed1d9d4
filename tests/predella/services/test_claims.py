import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import Engine, create_engine, func, select
from sqlalchemy.orm import Session

from predella import clock, ids
from predella.errors import AlreadyDecidedError, ClaimedError, NotFoundError
from predella.ids import AnalysisId
from predella.models import (
    Account,
    Analysis,
    Claim,
    Client,
    Collection,
    Decision,
    RejectionReason,
    Skip,
    Submission,
)
from predella.services import claims, reviews, searches
from predella.services.searches import Order, Search
from tests import factories


@pytest.fixture
def curator(session: Session) -> Account:
    return factories.account(session)


@pytest.fixture
def colleague(session: Session) -> Account:
    return factories.account(session)


@pytest.fixture
def within(session: Session) -> Submission:
    return factories.submission(session)


@pytest.fixture
def wanted(session: Session, within: Submission) -> list[AnalysisId]:
    """Eight that need review, the first to be read first."""
    made = factories.analyses(session, 8, within)
    return [AnalysisId(id_) for id_ in sorted(one.id for one in made)]


@pytest.fixture
def queue(session: Session, within: Submission) -> Search:
    return _queue(session, session.get_one(Collection, within.collection_id).slug)


def _queue(session: Session, slug: str, further: str = "") -> Search:
    asked = f"collection:{slug} {further}"
    return searches.parse(session, asked, account=factories.account(session), within=None)


def _take(
    session: Session,
    queue: Search,
    *,
    account: Account,
    limit: int = claims.MAX_CLAIMS,
    order: Order = Order.OLDEST,
) -> list[AnalysisId]:
    return list(claims.take(session, queue, account=account, order=order, limit=limit))


class _Clock:
    def __init__(self) -> None:
        self.time = datetime.fromisoformat("2026-11-29T09:41:00+00:00")

    def pass_by(self, **duration: float) -> None:
        self.time += timedelta(**duration)


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> _Clock:
    """Time that goes by only when told."""
    watch = _Clock()
    monkeypatch.setattr(clock, "now", lambda: watch.time)
    return watch


class TestTake:
    def test_gives_the_first_ones_in_the_order_of_the_query(
        self, session: Session, wanted: list[AnalysisId], queue: Search, curator: Account
    ) -> None:
        assert _take(session, queue, account=curator, limit=3) == wanted[:3]
        claims.release(session, wanted, account=curator)
        assert _take(session, queue, account=curator, limit=3, order=Order.NEWEST) == wanted[:-4:-1]

    def test_two_people_never_get_the_same(
        self,
        session: Session,
        wanted: list[AnalysisId],
        queue: Search,
        curator: Account,
        colleague: Account,
    ) -> None:
        assert _take(session, queue, account=curator, limit=5) == wanted[:5]
        assert _take(session, queue, account=colleague, limit=5) == wanted[5:]

    def test_goes_on_with_what_the_account_holds(
        self, session: Session, wanted: list[AnalysisId], queue: Search, curator: Account
    ) -> None:
        claims.hold(session, wanted[4], account=curator)

        assert _take(session, queue, account=curator, limit=3) == [wanted[4], *wanted[:2]]
        assert _take(session, queue, account=curator, limit=3) == [*wanted[:2], wanted[4]]

    def test_what_is_held_outside_the_query_is_not_given(
        self, session: Session, wanted: list[AnalysisId], queue: Search, curator: Account
    ) -> None:
        elsewhere = AnalysisId(factories.analysis(session).id)
        claims.hold(session, elsewhere, account=curator)

        assert _take(session, queue, account=curator, limit=2) == wanted[:2]

    def test_skipped_ones_come_last_the_earliest_skipped_first(
        self,
        session: Session,
        wanted: list[AnalysisId],
        queue: Search,
        curator: Account,
        colleague: Account,
    ) -> None:
        for skipped in (wanted[1], wanted[0]):
            claims.skip(session, skipped, account=curator)

        assert _take(session, queue, account=curator, limit=8) == [
            *wanted[2:],
            wanted[1],
            wanted[0],
        ]
        claims.release(session, wanted, account=curator)
        assert _take(session, queue, account=colleague, limit=1) == wanted[:1]

    def test_what_was_decided_in_the_meantime_is_not_claimed(
        self, session: Session, wanted: list[AnalysisId], queue: Search, curator: Account
    ) -> None:
        _approve(session, wanted[0], curator)
        reviews.reject(
            session,
            wanted[1],
            revision_number=0,
            account=curator,
            client=Client.CLI,
            reason=RejectionReason.OTHER,
        )

        assert _take(session, queue, account=curator, limit=1) == wanted[2:3]

    def test_a_query_for_what_is_decided_offers_nothing(
        self, session: Session, wanted: list[AnalysisId], within: Submission, curator: Account
    ) -> None:
        _approve(session, wanted[0], curator)
        slug = session.get_one(Collection, within.collection_id).slug

        assert _take(session, _queue(session, slug, "state:approved"), account=curator) == []

    def test_a_lapsed_claim_goes_to_whoever_comes(
        self,
        session: Session,
        wanted: list[AnalysisId],
        queue: Search,
        curator: Account,
        colleague: Account,
        watch: _Clock,
    ) -> None:
        _take(session, queue, account=curator, limit=2)

        watch.pass_by(minutes=9, seconds=59)
        assert _take(session, queue, account=colleague, limit=1) == wanted[2:3]
        watch.pass_by(seconds=1)
        assert _take(session, queue, account=colleague, limit=3) == [wanted[2], *wanted[:2]]

        assert set(claims.of(session, wanted[:2])) == set(wanted[:2])
        assert _take(session, queue, account=curator, limit=2) == wanted[3:5]

    def test_nothing_is_given_where_nothing_waits(self, session: Session, curator: Account) -> None:
        empty = factories.collection(session)

        assert _take(session, _queue(session, empty.slug), account=curator) == []


class TestTakeAtOnce:
    @pytest.fixture
    def engine(self, database_url: str) -> Iterator[Engine]:
        engine = create_engine(database_url)
        yield engine
        engine.dispose()

    def test_what_somebody_is_just_claiming_is_passed_over_without_waiting(
        self,
        engine: Engine,
        session: Session,
        wanted: list[AnalysisId],
        queue: Search,
        curator: Account,
        colleague: Account,
    ) -> None:
        session.commit()

        with Session(engine) as first, Session(engine) as second:
            one = _take(first, queue, account=first.get_one(Account, curator.id), limit=3)
            another = _take(second, queue, account=second.get_one(Account, colleague.id), limit=3)
            first.commit()
            second.commit()

        assert (one, another) == (wanted[:3], wanted[3:6])

    def test_many_who_come_at_once_share_everything_between_them(
        self, engine: Engine, session: Session, within: Submission, queue: Search
    ) -> None:
        factories.analyses(session, 32, within)
        people = [factories.account(session).id for _ in range(4)]
        session.commit()
        got: list[AnalysisId] = []
        start = threading.Barrier(len(people))

        def work(person: UUID) -> None:
            start.wait()
            for _ in range(4):
                with Session(engine) as own, own.begin():
                    account = own.get_one(Account, person)
                    taken = _take(own, queue, account=account, limit=2)
                    for id_ in taken:
                        _approve(own, id_, account)
                got.extend(taken)

        threads = [threading.Thread(target=work, args=(person,)) for person in people]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(got) == len(set(got)) == 32

    def test_somebody_who_was_faster_by_a_hair_keeps_the_claim(
        self,
        engine: Engine,
        session: Session,
        wanted: list[AnalysisId],
        curator: Account,
        colleague: Account,
    ) -> None:
        session.commit()

        with Session(engine) as first, Session(engine) as second:
            claims.hold(first, wanted[0], account=first.get_one(Account, curator.id))
            slower = second.get_one(Account, colleague.id)
            threading.Timer(0.2, first.commit).start()
            with pytest.raises(ClaimedError):
                claims.hold(second, wanted[0], account=slower)


class TestHold:
    def test_names_the_colleague_who_has_it(
        self,
        session: Session,
        wanted: list[AnalysisId],
        curator: Account,
        colleague: Account,
        watch: _Clock,
    ) -> None:
        held = claims.hold(session, wanted[0], account=colleague)

        with pytest.raises(ClaimedError, match=r"until 09:51 UTC") as caught:
            claims.hold(session, wanted[0], account=curator)

        assert caught.value.colleague == colleague.display_name
        assert caught.value.until == held.until == watch.time + claims.LEASE

    def test_held_again_it_lasts_longer_and_began_when_it_began(
        self, session: Session, wanted: list[AnalysisId], curator: Account, watch: _Clock
    ) -> None:
        began = claims.hold(session, wanted[0], account=curator).created_at

        watch.pass_by(minutes=5)
        again = claims.hold(session, wanted[0], account=curator)

        assert again.until == watch.time + claims.LEASE
        assert again.created_at == began

    @pytest.mark.parametrize(
        "decision", [Decision.APPROVED, Decision.REJECTED, Decision.SUPERSEDED]
    )
    def test_refuses_what_is_decided(
        self, session: Session, wanted: list[AnalysisId], curator: Account, decision: Decision
    ) -> None:
        on = session.get_one(Analysis, wanted[0])
        factories.review(session, on, decision)

        with pytest.raises(AlreadyDecidedError, match=decision):
            claims.hold(session, wanted[0], account=curator)

    def test_there_is_no_such_analysis(self, session: Session, curator: Account) -> None:
        with pytest.raises(NotFoundError):
            claims.hold(session, AnalysisId(ids.new()), account=curator)


class TestExtend:
    def test_holds_everything_of_the_account_for_longer(
        self,
        session: Session,
        wanted: list[AnalysisId],
        curator: Account,
        colleague: Account,
        watch: _Clock,
    ) -> None:
        for id_ in wanted[:2]:
            claims.hold(session, id_, account=curator)
        claims.hold(session, wanted[2], account=colleague)

        watch.pass_by(minutes=9)
        until = claims.extend(session, account=curator)
        watch.pass_by(minutes=9)

        assert until == watch.time + timedelta(minutes=1)
        assert set(claims.of(session, wanted)) == set(wanted[:2])

    def test_does_not_revive_what_has_run_out(
        self, session: Session, wanted: list[AnalysisId], curator: Account, watch: _Clock
    ) -> None:
        claims.hold(session, wanted[0], account=curator)

        watch.pass_by(minutes=10)
        claims.extend(session, account=curator)

        assert claims.of(session, wanted) == {}


class TestRelease:
    def test_gives_back_ones_own_and_no_others(
        self, session: Session, wanted: list[AnalysisId], curator: Account, colleague: Account
    ) -> None:
        claims.hold(session, wanted[0], account=curator)
        claims.hold(session, wanted[1], account=colleague)

        claims.release(session, wanted, account=curator)

        held = claims.of(session, wanted)
        assert {id_: claim.account for id_, claim in held.items()} == {wanted[1]: colleague}

    @pytest.mark.parametrize("decider", ["holder", "another"])
    def test_a_decision_releases_it_whoever_decides(
        self,
        session: Session,
        wanted: list[AnalysisId],
        curator: Account,
        colleague: Account,
        decider: str,
    ) -> None:
        for id_ in wanted[:2]:
            claims.hold(session, id_, account=curator)
        claims.skip(session, wanted[0], account=colleague)

        _approve(session, wanted[0], curator if decider == "holder" else colleague)

        assert set(claims.of(session, wanted)) == {wanted[1]}
        assert session.scalar(select(func.count()).select_from(Skip)) == 0

    def test_an_undo_leaves_the_claim_of_who_took_it_since(
        self, session: Session, wanted: list[AnalysisId], curator: Account
    ) -> None:
        reviews.ask_second(
            session,
            wanted[0],
            revision_number=0,
            account=curator,
            client=Client.DESK,
            colleague=None,
            note=None,
        )
        claims.hold(session, wanted[0], account=curator)

        reviews.undo(session, wanted[0], account=curator, client=Client.DESK)

        assert set(claims.of(session, wanted)) == {wanted[0]}


class TestSkip:
    def test_gives_it_back(
        self, session: Session, wanted: list[AnalysisId], curator: Account
    ) -> None:
        claims.hold(session, wanted[0], account=curator)

        claims.skip(session, wanted[0], account=curator)
        claims.skip(session, wanted[0], account=curator)

        assert claims.of(session, wanted) == {}

    def test_there_is_no_such_analysis(self, session: Session, curator: Account) -> None:
        with pytest.raises(NotFoundError):
            claims.skip(session, AnalysisId(ids.new()), account=curator)


class TestOf:
    def test_knows_who_holds_it_without_asking_again(
        self, session: Session, wanted: list[AnalysisId], curator: Account
    ) -> None:
        claims.hold(session, wanted[0], account=curator)
        session.expire_all()

        assert claims.of(session, wanted)[wanted[0]].account.name == curator.name
        assert session.scalar(select(func.count()).select_from(Claim)) == 1


class TestSecondOpinions:
    def test_are_offered_to_whom_they_were_asked_of(
        self,
        session: Session,
        wanted: list[AnalysisId],
        queue: Search,
        curator: Account,
        colleague: Account,
    ) -> None:
        anybody = factories.account(session)
        _ask(session, wanted[0], by=curator, of=colleague)
        _ask(session, wanted[1], by=curator, of=None)

        assert self._offered(session, queue, curator) == wanted[2:]
        assert self._offered(session, queue, anybody) == wanted[1:]
        assert self._offered(session, queue, colleague) == wanted

    def test_the_newest_wish_counts(
        self,
        session: Session,
        wanted: list[AnalysisId],
        queue: Search,
        curator: Account,
        colleague: Account,
    ) -> None:
        _ask(session, wanted[0], by=curator, of=colleague)
        _ask(session, wanted[0], by=colleague, of=curator)

        assert self._offered(session, queue, colleague) == wanted[1:]
        assert self._offered(session, queue, curator) == wanted

    def test_a_skipped_one_does_not_come_back_once_it_is_another_colleagues(
        self,
        session: Session,
        wanted: list[AnalysisId],
        queue: Search,
        curator: Account,
        colleague: Account,
    ) -> None:
        _ask(session, wanted[0], by=colleague, of=factories.account(session))
        claims.skip(session, wanted[0], account=curator)

        assert self._offered(session, queue, curator) == wanted[1:]

    def test_whoever_opens_one_holds_it_and_goes_on_with_it(
        self,
        session: Session,
        wanted: list[AnalysisId],
        queue: Search,
        curator: Account,
        colleague: Account,
    ) -> None:
        _ask(session, wanted[3], by=curator, of=colleague)
        claims.hold(session, wanted[3], account=curator)

        assert _take(session, queue, account=curator, limit=2) == [wanted[3], wanted[0]]

    def _offered(self, session: Session, queue: Search, account: Account) -> list[AnalysisId]:
        taken = _take(session, queue, account=account, limit=9)
        claims.release(session, taken, account=account)
        return taken


def _ask(session: Session, analysis_id: AnalysisId, *, by: Account, of: Account | None) -> None:
    reviews.ask_second(
        session,
        analysis_id,
        revision_number=0,
        account=by,
        client=Client.DESK,
        colleague=of,
        note=None,
    )


def _approve(session: Session, analysis_id: AnalysisId, by: Account) -> None:
    reviews.approve(session, analysis_id, revision_number=0, account=by, client=Client.CLI)
