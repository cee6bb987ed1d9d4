import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Literal, TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import Session

from predella import ids
from predella.errors import (
    AlreadyDecidedError,
    ConflictError,
    InvalidError,
    NotFoundError,
    NothingToUndoError,
    PredellaError,
    StaleRevisionError,
)
from predella.ids import AnalysisId
from predella.models import (
    Account,
    Analysis,
    Client,
    Decision,
    RejectionReason,
    Review,
    ReviewState,
    Revision,
)
from predella.services import analyses, reviews
from predella.services.reviews import Ruling
from tests import factories


@pytest.fixture
def curator(session: Session) -> Account:
    return factories.account(session)


@pytest.fixture
def analysis_id(session: Session) -> AnalysisId:
    return AnalysisId(factories.analysis(session, text="A blue vase.").id)


def _amend(session: Session, analysis_id: AnalysisId, text: str, by: Account) -> Revision:
    seen = analyses.get(session, analysis_id).revision.number
    return reviews.amend(session, analysis_id, text=text, account=by, seen=seen)


def _approve(session: Session, analysis_id: AnalysisId, by: Account, seen: int = 0) -> Review:
    return reviews.approve(
        session, analysis_id, revision_number=seen, account=by, client=Client.CLI
    )


def _reject(session: Session, analysis_id: AnalysisId, by: Account, seen: int = 0) -> Review:
    return reviews.reject(
        session,
        analysis_id,
        revision_number=seen,
        account=by,
        client=Client.CLI,
        reason=RejectionReason.COLOUR,
        note="it is green",
    )


def _undo(session: Session, analysis_id: AnalysisId, by: Account) -> Review | Revision:
    return reviews.undo(session, analysis_id, account=by, client=Client.CLI)


class TestAmend:
    def test_adds_a_wording_and_leaves_the_models_own(
        self, session: Session, analysis_id: AnalysisId, curator: Account
    ) -> None:
        made = reviews.amend(
            session, analysis_id, text="A gre\u0301y vase.\r\n\x00", account=curator, seen=0
        )

        assert (made.number, made.text) == (1, "A gr\u00e9y vase.\n")
        assert session.get_one(Analysis, analysis_id).text == "A blue vase."
        first = analyses.history(session, analysis_id)[0]
        assert isinstance(first, Revision)
        assert first.text == "A blue vase."

    def test_refuses_a_wording_that_was_replaced_while_on_screen(
        self, session: Session, analysis_id: AnalysisId, curator: Account
    ) -> None:
        _amend(session, analysis_id, "A green vase.", curator)

        with pytest.raises(StaleRevisionError) as caught:
            reviews.amend(session, analysis_id, text="A red vase.", account=curator, seen=0)

        assert (caught.value.seen, caught.value.newest) == (0, 1)

    def test_answers_a_second_click_with_the_first_ones_wording(
        self, session: Session, analysis_id: AnalysisId, curator: Account
    ) -> None:
        first = reviews.amend(session, analysis_id, text="A vase.", account=curator, seen=0)

        second = reviews.amend(session, analysis_id, text="A vase.", account=curator, seen=0)

        assert second is first

    @pytest.mark.parametrize("decide", [_approve, _reject])
    def test_refuses_what_is_decided(
        self,
        session: Session,
        analysis_id: AnalysisId,
        curator: Account,
        decide: Callable[..., Review],
    ) -> None:
        decide(session, analysis_id, curator)

        with pytest.raises(AlreadyDecidedError, match=curator.display_name):
            _amend(session, analysis_id, "A green vase.", curator)

    @pytest.mark.parametrize("text", ["", " \n\t ", "\x00\ufe0f"])
    def test_refuses_a_text_that_says_nothing(
        self, session: Session, analysis_id: AnalysisId, curator: Account, text: str
    ) -> None:
        with pytest.raises(InvalidError, match="reject"):
            _amend(session, analysis_id, text, curator)

    def test_takes_20_000_characters_and_not_one_more(
        self, session: Session, analysis_id: AnalysisId, curator: Account
    ) -> None:
        _amend(session, analysis_id, "\U0001f5bc" * 20_000, curator)

        with pytest.raises(InvalidError, match="20,001"):
            _amend(session, analysis_id, "a" * 20_001, curator)

    def test_knows_only_what_exists(self, session: Session, curator: Account) -> None:
        with pytest.raises(NotFoundError):
            reviews.amend(session, AnalysisId(ids.new()), text="a", account=curator, seen=0)


class TestApprove:
    def test_binds_to_the_wording_that_was_read(
        self, session: Session, analysis_id: AnalysisId, curator: Account
    ) -> None:
        wording = _amend(session, analysis_id, "A green vase.", curator)

        review = _approve(session, analysis_id, curator, seen=1)

        assert (review.revision_id, review.revision_sha256) == (wording.id, wording.sha256)
        assert analyses.get(session, analysis_id).state is ReviewState.APPROVED

    def test_refuses_a_wording_that_was_replaced_while_on_screen(
        self, session: Session, analysis_id: AnalysisId, curator: Account
    ) -> None:
        _amend(session, analysis_id, "A green vase.", curator)

        with pytest.raises(StaleRevisionError):
            _approve(session, analysis_id, curator, seen=0)

    @pytest.mark.parametrize("first", [_approve, _reject])
    @pytest.mark.parametrize("second", [_approve, _reject])
    def test_never_replaces_a_decision_silently(
        self,
        session: Session,
        analysis_id: AnalysisId,
        curator: Account,
        first: Callable[..., Review],
        second: Callable[..., Review],
    ) -> None:
        first(session, analysis_id, curator)

        with pytest.raises(AlreadyDecidedError, match=curator.display_name):
            second(session, analysis_id, factories.account(session))

    def test_refuses_a_text_that_says_nothing(self, session: Session, curator: Account) -> None:
        empty = AnalysisId(factories.analysis(session, text=" ").id)

        with pytest.raises(InvalidError, match="no text"):
            _approve(session, empty, curator)
        assert _reject(session, empty, curator).decision is Decision.REJECTED


class TestReject:
    def test_keeps_the_reason_and_the_note(
        self, session: Session, analysis_id: AnalysisId, curator: Account
    ) -> None:
        review = _reject(session, analysis_id, curator)

        assert (review.reason, review.note) == (RejectionReason.COLOUR, "it is green")
        assert analyses.get(session, analysis_id).state is ReviewState.REJECTED

    def test_refuses_a_note_longer_than_a_note(
        self, session: Session, analysis_id: AnalysisId, curator: Account
    ) -> None:
        with pytest.raises(InvalidError, match="2,001"):
            reviews.reject(
                session,
                analysis_id,
                revision_number=0,
                account=curator,
                client=Client.API,
                reason=RejectionReason.OTHER,
                note="x" * 2_001,
            )


class TestUndo:
    def test_reopens_a_decision_and_names_it(
        self, session: Session, analysis_id: AnalysisId, curator: Account
    ) -> None:
        approval = _approve(session, analysis_id, curator)

        undone = _undo(session, analysis_id, curator)

        assert isinstance(undone, Review)
        assert (undone.decision, undone.undoes_id) == (Decision.REOPENED, approval.id)
        assert analyses.get(session, analysis_id).state is ReviewState.NEEDS_REVIEW
        assert _reject(session, analysis_id, curator).number == 3

    def test_restores_the_wording_before_an_amendment(
        self, session: Session, analysis_id: AnalysisId, curator: Account
    ) -> None:
        _amend(session, analysis_id, "A green vase.", curator)

        undone = _undo(session, analysis_id, curator)

        assert isinstance(undone, Revision)
        assert (undone.number, undone.restores_number, undone.text) == (2, 0, "A blue vase.")

    def test_twice_takes_back_two_amendments_and_not_its_own_work(
        self, session: Session, analysis_id: AnalysisId, curator: Account
    ) -> None:
        _amend(session, analysis_id, "one", curator)
        _amend(session, analysis_id, "two", curator)

        assert [_text(_undo(session, analysis_id, curator)) for _ in range(2)] == [
            "one",
            "A blue vase.",
        ]
        with pytest.raises(NothingToUndoError):
            _undo(session, analysis_id, curator)

    def test_of_an_undone_approval_goes_on_with_the_amendment_before_it(
        self, session: Session, analysis_id: AnalysisId, curator: Account
    ) -> None:
        _amend(session, analysis_id, "A green vase.", curator)
        _approve(session, analysis_id, curator, seen=1)
        _undo(session, analysis_id, curator)

        assert _text(_undo(session, analysis_id, curator)) == "A blue vase."

    def test_of_nothing_is_refused(
        self, session: Session, analysis_id: AnalysisId, curator: Account
    ) -> None:
        with pytest.raises(NothingToUndoError):
            _undo(session, analysis_id, curator)

    def test_knows_only_what_exists(self, session: Session, curator: Account) -> None:
        with pytest.raises(NotFoundError):
            _undo(session, AnalysisId(ids.new()), curator)


def _text(step: Review | Revision) -> str:
    assert isinstance(step, Revision)
    return step.text


class TestDecideMany:
    def test_decides_each_for_itself(
        self, session: Session, analysis_id: AnalysisId, curator: Account
    ) -> None:
        other = AnalysisId(factories.analysis(session).id)
        stale = AnalysisId(factories.analysis(session).id)
        _amend(session, stale, "newer", curator)
        missing = AnalysisId(ids.new())

        results = reviews.decide_many(
            session,
            [
                Ruling(stale, 0, Decision.APPROVED),
                Ruling(missing, 0, Decision.APPROVED),
                Ruling(other, 0, Decision.REJECTED, RejectionReason.STYLE),
                Ruling(other, 0, Decision.APPROVED),
                Ruling(analysis_id, 0, Decision.REJECTED),
                Ruling(analysis_id, 0, Decision.APPROVED, RejectionReason.STYLE),
                Ruling(analysis_id, 0, Decision.APPROVED),
            ],
            account=curator,
            client=Client.API,
        )

        assert [type(result) for result in results] == [
            StaleRevisionError,
            NotFoundError,
            Review,
            AlreadyDecidedError,
            InvalidError,
            InvalidError,
            Review,
        ]
        assert analyses.get(session, analysis_id).state is ReviewState.APPROVED
        assert analyses.get(session, other).state is ReviewState.REJECTED
        assert analyses.get(session, stale).state is ReviewState.NEEDS_REVIEW

    def test_takes_500_in_well_under_a_second_and_not_one_more(
        self, session: Session, curator: Account
    ) -> None:
        made = factories.analyses(session, reviews.MAX_RULINGS)
        rulings = [Ruling(AnalysisId(one.id), 0, Decision.APPROVED) for one in made]

        started = time.process_time()
        results = reviews.decide_many(session, rulings, account=curator, client=Client.API)
        seconds = time.process_time() - started

        assert all(isinstance(result, Review) for result in results)
        assert seconds < 1
        with pytest.raises(InvalidError, match="501"):
            reviews.decide_many(session, [*rulings, rulings[0]], account=curator, client=Client.API)


Outcome: TypeAlias = list[PredellaError | None]


class TestTwoAtOnce:
    """Two connections, as two people have them."""

    @pytest.mark.parametrize("first", ["approve", "amend"])
    def test_the_second_gets_a_conflict_that_says_what_happened(
        self, session: Session, database_url: str, first: Literal["approve", "amend"]
    ) -> None:
        one, two = factories.account(session), factories.account(session)
        made = [AnalysisId(analysis.id) for analysis in factories.analyses(session, 10)]
        session.commit()

        for analysis_id in made:
            outcome = _race(
                database_url,
                partial(_step, first, analysis_id, one.id),
                partial(_step, "approve", analysis_id, two.id),
            )
            (conflict,) = [error for error in outcome if error is not None]
            assert isinstance(conflict, ConflictError)
            assert sum(error is None for error in outcome) == 1

    def test_batches_over_the_same_analyses_do_not_wait_in_a_circle(
        self, session: Session, database_url: str
    ) -> None:
        one, two = factories.account(session), factories.account(session)
        made = [AnalysisId(analysis.id) for analysis in factories.analyses(session, 200)]
        session.commit()

        outcome = _race(
            database_url,
            partial(_approve_all, made, one.id),
            partial(_approve_all, made[::-1], two.id),
        )

        assert outcome == [None, None]
        assert session.scalar(select(func.count()).select_from(Review)) == len(made)


def _race(url: str, *steps: Callable[[Session], None]) -> Outcome:
    engine = create_engine(url, connect_args={"options": "-c lock_timeout=20s"})
    together = threading.Barrier(len(steps))
    outcome: Outcome = [None] * len(steps)

    def run(place: int, step: Callable[[Session], None]) -> None:
        with Session(engine) as own:
            own.connection()
            together.wait()
            try:
                step(own)
                time.sleep(0.02)
                own.commit()
            except PredellaError as error:
                outcome[place] = error

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(steps)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    engine.dispose()
    return outcome


def _step(
    verb: Literal["approve", "amend"], analysis_id: AnalysisId, account_id: object, own: Session
) -> None:
    account = own.get_one(Account, account_id)
    if verb == "approve":
        _approve(own, analysis_id, account)
    else:
        reviews.amend(own, analysis_id, text="mine", account=account, seen=0)


def _approve_all(made: list[AnalysisId], account_id: object, own: Session) -> None:
    rulings = [Ruling(analysis_id, 0, Decision.APPROVED) for analysis_id in made]
    account = own.get_one(Account, account_id)
    reviews.decide_many(own, rulings, account=account, client=Client.API)


_STEPS = st.lists(st.sampled_from(["amend", "approve", "reject", "undo"]), max_size=15)


class TestAnySequenceOfSteps:
    @settings(
        max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(steps=_STEPS)
    def test_stands_as_a_stack_of_steps_would(
        self, session: Session, curator: Account, steps: list[str]
    ) -> None:
        analysis_id = AnalysisId(factories.analysis(session, text="0").id)
        stack: list[str] = []
        taken = 1

        for place, step in enumerate(steps, start=1):
            added = _take(session, analysis_id, step, str(place), curator)
            assert added == _model(stack, step, str(place))
            taken += added

            view = analyses.get(session, analysis_id)
            texts = [entry for entry in stack if entry.isdigit()]
            assert view.revision.text == (texts[-1] if texts else "0")
            decided = stack[-1] if stack and not stack[-1].isdigit() else "needs_review"
            assert view.state == decided
        assert len(analyses.history(session, analysis_id)) == taken


def _take(session: Session, analysis_id: AnalysisId, step: str, text: str, by: Account) -> bool:
    seen = analyses.get(session, analysis_id).revision.number
    try:
        match step:
            case "amend":
                _amend(session, analysis_id, text, by)
            case "approve":
                _approve(session, analysis_id, by, seen)
            case "reject":
                _reject(session, analysis_id, by, seen)
            case _:
                _undo(session, analysis_id, by)
    except ConflictError:
        return False
    return True


def _model(stack: list[str], step: str, text: str) -> bool:
    """Take a step on a stack of texts and decisions; say whether it is allowed."""
    decided = bool(stack) and not stack[-1].isdigit()
    if step == "undo":
        if stack:
            stack.pop()
            return True
        return False
    if decided:
        return False
    stack.append({"amend": text, "approve": "approved", "reject": "rejected"}[step])
    return True
