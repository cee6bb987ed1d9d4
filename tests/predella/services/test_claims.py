import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import Engine, Select, create_engine, func, select
from sqlalchemy.orm import Session

from predella import clock, ids
from predella.errors import AlreadyDecidedError, ClaimedError, NotFoundError
from predella.ids import AnalysisId, CollectionId
from predella.models import (
    Account,
    Analysis,
    Claim,
    Client,
    Collection,
    Decision,
    RejectionReason,
    ReviewState,
    Skip,
    Standing,
    Submission,
)
from predella.services import claims, reviews
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
def queue(within: Submission) -> Select[UUID]:
    return _queue(within.collection_id)


def _queue(collection_id: UUID) -> Select[UUID]:
    return (
        select(Standing.analysis_id)
        .where(Standing.collection_id == collection_id)
        .where(Standing.state == ReviewState.NEEDS_REVIEW)
        .order_by(Standing.analysis_id)
    )


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
        self, session: Session, wanted: list[AnalysisId], queue: Select[UUID], curator: Account
    ) -> None:
        backwards = queue.order_by(None).order_by(Standing.analysis_id.desc())

        assert claims.take(session, queue, account=curator, limit=3) == wanted[:3]
        claims.release(session, wanted, account=curator)
        assert claims.take(session, backwards, account=curator, limit=3) == wanted[:-4:-1]

    def test_two_people_never_get_the_same(
        self,
        session: Session,
        wanted: list[AnalysisId],
        queue: Select[UUID],
        curator: Account,
        colleague: Account,
    ) -> None:
        assert claims.take(session, queue, account=curator, limit=5) == wanted[:5]
        assert claims.take(session, queue, account=colleague, limit=5) == wanted[5:]

    def test_goes_on_with_what_the_account_holds(
        self, session: Session, wanted: list[AnalysisId], queue: Select[UUID], curator: Account
    ) -> None:
        claims.hold(session, wanted[4], account=curator)

        assert claims.take(session, queue, account=curator, limit=3) == [wanted[4], *wanted[:2]]
        assert claims.take(session, queue, account=curator, limit=3) == [*wanted[:2], wanted[4]]

    def test_what_is_held_outside_the_query_is_not_given(
        self, session: Session, wanted: list[AnalysisId], queue: Select[UUID], curator: Account
    ) -> None:
        elsewhere = AnalysisId(factories.analysis(session).id)
        claims.hold(session, elsewhere, account=curator)

        assert claims.take(session, queue, account=curator, limit=2) == wanted[:2]

    def test_skipped_ones_come_last_the_earliest_skipped_first(
        self,
        session: Session,
        wanted: list[AnalysisId],
        queue: Select[UUID],
        curator: Account,
        colleague: Account,
    ) -> None:
        for skipped in (wanted[1], wanted[0]):
            claims.skip(session, skipped, account=curator)

        assert claims.take(session, queue, account=curator, limit=8) == [
            *wanted[2:],
            wanted[1],
            wanted[0],
        ]
        claims.release(session, wanted, account=curator)
        assert claims.take(session, queue, account=colleague, limit=1) == wanted[:1]

    def test_what_was_decided_in_the_meantime_is_not_claimed(
        self, session: Session, wanted: list[AnalysisId], within: Submission, curator: Account
    ) -> None:
        _approve(session, wanted[0], curator)
        everything = _queue(within.collection_id).where(Standing.state.is_not(None))

        assert claims.take(session, everything, account=curator, limit=1) == wanted[1:2]

    def test_a_lapsed_claim_goes_to_whoever_comes(
        self,
        session: Session,
        wanted: list[AnalysisId],
        queue: Select[UUID],
        curator: Account,
        colleague: Account,
        watch: _Clock,
    ) -> None:
        claims.take(session, queue, account=curator, limit=2)

        watch.pass_by(minutes=9, seconds=59)
        assert claims.take(session, queue, account=colleague, limit=1) == wanted[2:3]
        watch.pass_by(seconds=1)
        assert claims.take(session, queue, account=colleague, limit=3) == [wanted[2], *wanted[:2]]

        assert set(claims.of(session, wanted[:2])) == set(wanted[:2])
        assert claims.take(session, queue, account=curator, limit=2) == wanted[3:5]

    def test_nothing_is_given_where_nothing_waits(self, session: Session, curator: Account) -> None:
        assert claims.take(session, _queue(ids.new()), account=curator) == []


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
        queue: Select[UUID],
        curator: Account,
        colleague: Account,
    ) -> None:
        session.commit()

        with Session(engine) as first, Session(engine) as second:
            one = claims.take(first, queue, account=first.get_one(Account, curator.id), limit=3)
            another = claims.take(
                second, queue, account=second.get_one(Account, colleague.id), limit=3
            )
            first.commit()
            second.commit()

        assert (one, another) == (wanted[:3], wanted[3:6])

    def test_many_who_come_at_once_share_everything_between_them(
        self, engine: Engine, session: Session, within: Submission
    ) -> None:
        factories.analyses(session, 32, within)
        people = [factories.account(session).id for _ in range(4)]
        queue = _queue(within.collection_id)
        session.commit()
        got: list[AnalysisId] = []
        start = threading.Barrier(len(people))

        def work(person: UUID) -> None:
            start.wait()
            for _ in range(4):
                with Session(engine) as own, own.begin():
                    account = own.get_one(Account, person)
                    taken = claims.take(own, queue, account=account, limit=2)
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


class TestWaiting:
    @pytest.fixture
    def collection(self, session: Session, within: Submission) -> Collection:
        return session.get_one(Collection, within.collection_id)

    def test_what_a_hard_check_holds_comes_first_then_what_the_model_was_least_sure_of(
        self, session: Session, within: Submission, curator: Account
    ) -> None:
        sure, unsure, held = (
            factories.analysis(
                session, factories.item(session, within), text=text, min_window_logprob=sureness
            )
            for text, sureness in (("A vase.", -0.5), ("A jug.", -2.5), ("A cup.", -0.1))
        )
        factories.finding(session, held)

        assert self._all(session, curator, within) == [held.id, unsure.id, sure.id]

    def test_a_second_opinion_is_offered_to_whom_it_was_asked_of(
        self,
        session: Session,
        wanted: list[AnalysisId],
        within: Submission,
        curator: Account,
        colleague: Account,
    ) -> None:
        anybody = factories.account(session)
        for id_, asked in ((wanted[0], colleague), (wanted[1], None)):
            reviews.ask_second(
                session,
                id_,
                revision_number=0,
                account=curator,
                client=Client.DESK,
                colleague=asked,
                note=None,
            )

        assert self._all(session, curator, within) == wanted[2:]
        assert self._all(session, colleague, within) == wanted
        assert self._all(session, anybody, within) == wanted[1:]

    def test_what_is_decided_waits_no_more(
        self, session: Session, wanted: list[AnalysisId], within: Submission, curator: Account
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

        assert self._all(session, curator, within) == wanted[2:]
        assert len(claims.take(session, claims.waiting(curator, within=None), account=curator)) == 5

    def _all(self, session: Session, account: Account, within: Submission) -> list[UUID]:
        query = claims.waiting(
            account, within=None, collection_id=CollectionId(within.collection_id)
        )
        return list(session.scalars(query))


def _approve(session: Session, analysis_id: AnalysisId, by: Account) -> None:
    reviews.approve(session, analysis_id, revision_number=0, account=by, client=Client.CLI)
