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
    OpenCheckError,
    PredellaError,
    SecondApproverError,
    StaleFindingError,
    StaleRevisionError,
    TooSoonError,
)
from predella.ids import AnalysisId, FindingId
from predella.models import (
    Account,
    Analysis,
    Client,
    Decision,
    Finding,
    Item,
    ItemState,
    RejectionReason,
    Review,
    ReviewState,
    Revision,
    Role,
)
from predella.services import accounts, analyses, reviews
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


_STEPS = st.lists(st.sampled_from(["amend", "approve", "reject", "ask", "undo"]), max_size=15)


def _ask(
    session: Session,
    analysis_id: AnalysisId,
    by: Account,
    *,
    of: Account | None = None,
    seen: int = 0,
    note: str | None = None,
) -> Review:
    return reviews.ask_second(
        session,
        analysis_id,
        revision_number=seen,
        account=by,
        client=Client.DESK,
        colleague=of,
        note=note,
    )


class TestAskSecond:
    def test_names_the_colleague_and_settles_nothing(
        self, session: Session, analysis_id: AnalysisId, curator: Account
    ) -> None:
        colleague = factories.account(session, Role.CURATOR)

        asked = _ask(session, analysis_id, curator, of=colleague, note=" Is it blue? ")

        assert (asked.decision, asked.note) == (Decision.NEEDS_SECOND, "Is it blue?")
        assert (asked.asked_id, asked.client) == (colleague.id, Client.DESK)
        assert analyses.get(session, analysis_id).state is ReviewState.NEEDS_SECOND
        _amend(session, analysis_id, "A green vase.", colleague)
        assert _approve(session, analysis_id, colleague, seen=1).number == 2

    def test_may_be_asked_of_nobody_in_particular_and_again(
        self, session: Session, analysis_id: AnalysisId, curator: Account
    ) -> None:
        assert _ask(session, analysis_id, curator).asked_id is None
        assert _ask(session, analysis_id, factories.account(session), of=curator).number == 2

    def test_undone_it_needs_review_again(
        self, session: Session, analysis_id: AnalysisId, curator: Account
    ) -> None:
        asked = _ask(session, analysis_id, curator)

        undone = _undo(session, analysis_id, curator)

        assert isinstance(undone, Review)
        assert undone.undoes_id == asked.id
        assert analyses.get(session, analysis_id).state is ReviewState.NEEDS_REVIEW

    def test_an_amendment_that_came_after_it_is_undone_before_it(
        self, session: Session, analysis_id: AnalysisId, curator: Account
    ) -> None:
        _ask(session, analysis_id, curator)
        _amend(session, analysis_id, "A green vase.", curator)

        restored = _undo(session, analysis_id, curator)

        assert isinstance(restored, Revision)
        assert restored.text == "A blue vase."
        assert analyses.get(session, analysis_id).state is ReviewState.NEEDS_SECOND
        assert isinstance(_undo(session, analysis_id, curator), Review)

    def test_refuses_a_wording_that_was_replaced_while_on_screen(
        self, session: Session, analysis_id: AnalysisId, curator: Account
    ) -> None:
        _amend(session, analysis_id, "A green vase.", curator)

        with pytest.raises(StaleRevisionError):
            _ask(session, analysis_id, curator)

    def test_refuses_what_is_decided(
        self, session: Session, analysis_id: AnalysisId, curator: Account
    ) -> None:
        _approve(session, analysis_id, curator)

        with pytest.raises(AlreadyDecidedError):
            _ask(session, analysis_id, curator)

    def test_refuses_to_ask_who_asks_or_who_does_not_review(
        self, session: Session, analysis_id: AnalysisId, curator: Account
    ) -> None:
        digitizer = factories.account(session, Role.DIGITIZER)
        gone = accounts.disable(session, factories.account(session))

        for asked, why in ((curator, "else"), (digitizer, "review"), (gone, "disabled")):
            with pytest.raises(InvalidError, match=why):
                _ask(session, analysis_id, curator, of=asked)

    def test_refuses_a_note_as_long_as_a_letter(
        self, session: Session, analysis_id: AnalysisId, curator: Account
    ) -> None:
        with pytest.raises(InvalidError, match="2,001"):
            _ask(session, analysis_id, curator, note="x" * 2_001)


def _amend_and_approve(
    session: Session, analysis_id: AnalysisId, text: str, by: Account, seen: int = 0
) -> Review:
    return reviews.amend_and_approve(
        session, analysis_id, text=text, account=by, seen=seen, client=Client.API
    )


class TestAmendAndApprove:
    def test_approves_the_wording_that_it_writes(
        self, session: Session, analysis_id: AnalysisId, curator: Account
    ) -> None:
        review = _amend_and_approve(session, analysis_id, "A green vase.", curator)

        assert review.decision is Decision.APPROVED
        assert review.revision_sha256 == factories.digest("A green vase.")
        assert analyses.get(session, analysis_id).revision.number == 1

    def test_what_a_hard_check_finds_in_the_new_wording_forbids_both(
        self, session: Session, analysis_id: AnalysisId, curator: Account
    ) -> None:
        with pytest.raises(OpenCheckError, match="leak"):
            _amend_and_approve(
                session, analysis_id, "As an AI language model, I see a vase.", curator
            )

        view = analyses.get(session, analysis_id)
        assert (view.revision.number, view.state) == (0, ReviewState.NEEDS_REVIEW)

    def test_what_a_hard_check_found_in_the_old_one_forbids_nothing(
        self, session: Session, curator: Account
    ) -> None:
        analysis = factories.analysis(session, text="As an AI language model, I see a vase.")
        factories.finding(session, analysis)

        _amend_and_approve(session, AnalysisId(analysis.id), "A vase.", curator)

    def test_refuses_what_was_replaced_or_decided(
        self, session: Session, analysis_id: AnalysisId, curator: Account
    ) -> None:
        _amend(session, analysis_id, "A red vase.", curator)
        with pytest.raises(StaleRevisionError):
            _amend_and_approve(session, analysis_id, "A green vase.", curator)

        _amend_and_approve(session, analysis_id, "A green vase.", curator, seen=1)
        with pytest.raises(AlreadyDecidedError):
            _amend_and_approve(session, analysis_id, "A green vase.", curator, seen=2)

    def test_where_somebody_else_has_to_approve_neither_is_done(
        self, session: Session, curator: Account
    ) -> None:
        analysis_id = _analysis_in(session, {"second_approver": True})

        with pytest.raises(SecondApproverError):
            _amend_and_approve(session, analysis_id, "A green vase.", curator)

        assert analyses.get(session, analysis_id).revision.number == 0


def _analysis_in(session: Session, rules: dict[str, object], text: str = "A vase.") -> AnalysisId:
    of = factories.collection(session, review_rules=rules)
    item = factories.item(session, factories.submission(session, of))
    return AnalysisId(factories.analysis(session, item, text=text).id)


class TestSecondApprover:
    @pytest.fixture
    def strict(self, session: Session) -> AnalysisId:
        return _analysis_in(session, {"second_approver": True})

    def test_who_wrote_the_wording_asks_somebody_else(
        self, session: Session, strict: AnalysisId, curator: Account
    ) -> None:
        _amend(session, strict, "A green vase.", curator)

        with pytest.raises(SecondApproverError, match="somebody else"):
            _approve(session, strict, curator, seen=1)
        _approve(session, strict, factories.account(session), seen=1)

    def test_so_does_who_wrote_what_was_brought_back(
        self, session: Session, strict: AnalysisId, curator: Account
    ) -> None:
        colleague = factories.account(session)
        _amend(session, strict, "A green vase.", curator)
        _amend(session, strict, "A red vase.", colleague)
        _undo(session, strict, colleague)

        for one in (curator, colleague):
            with pytest.raises(SecondApproverError):
                _approve(session, strict, one, seen=3)

    def test_the_models_own_wording_and_a_rejection_need_nobody_else(
        self, session: Session, strict: AnalysisId, curator: Account
    ) -> None:
        _approve(session, strict, curator)
        _undo(session, strict, curator)
        _amend(session, strict, "A green vase.", curator)
        _reject(session, strict, curator, seen=1)

    def test_elsewhere_who_wrote_it_approves_it(
        self, session: Session, analysis_id: AnalysisId, curator: Account
    ) -> None:
        _amend(session, analysis_id, "A green vase.", curator)

        _approve(session, analysis_id, curator, seen=1)


_LONG = "A vase stands. " * 50
"""150 words: nobody reads them in less than 15 seconds."""


class TestTimeOnScreen:
    def _approve(
        self,
        session: Session,
        analysis_id: AnalysisId,
        by: Account,
        seconds: float | None,
        client: Client = Client.DESK,
    ) -> Review:
        analysis = session.get_one(Analysis, analysis_id)
        factories.opening(session, factories.newest_revision(session, analysis), by)
        return reviews.approve(
            session,
            analysis_id,
            revision_number=0,
            account=by,
            client=client,
            seconds_seen=seconds,
        )

    @pytest.mark.parametrize(("seconds", "wait"), [(None, 15), (0, 15), (14.75, 0.25)])
    def test_at_the_desk_nothing_is_approved_that_cannot_have_been_read(
        self, session: Session, curator: Account, seconds: float | None, wait: float
    ) -> None:
        analysis_id = _analysis_in(session, {}, _LONG)

        with pytest.raises(TooSoonError) as caught:
            self._approve(session, analysis_id, curator, seconds)

        assert caught.value.wait == wait

    def test_is_kept_with_the_decision(self, session: Session, curator: Account) -> None:
        analysis_id = _analysis_in(session, {}, _LONG)

        assert self._approve(session, analysis_id, curator, 15).seconds_seen == 15

    def test_a_collection_may_do_without(self, session: Session, curator: Account) -> None:
        analysis_id = _analysis_in(session, {"reading_floor": False}, _LONG)

        self._approve(session, analysis_id, curator, 0.5)

    @pytest.mark.parametrize("client", [Client.API, Client.CLI])
    def test_elsewhere_it_is_not_known(
        self, session: Session, curator: Account, client: Client
    ) -> None:
        analysis_id = _analysis_in(session, {}, _LONG)

        assert self._approve(session, analysis_id, curator, None, client).seconds_seen is None

    def test_a_rejection_may_come_at_a_glance(self, session: Session, curator: Account) -> None:
        review = reviews.reject(
            session,
            _analysis_in(session, {}, _LONG),
            revision_number=0,
            account=curator,
            client=Client.DESK,
            reason=RejectionReason.WRONG_SUBJECT,
            seconds_seen=0.4,
        )

        assert review.seconds_seen == 0.4

    @pytest.mark.parametrize("seconds", [-1, 86_401, float("nan")])
    def test_refuses_what_is_no_time(
        self, session: Session, analysis_id: AnalysisId, curator: Account, seconds: float
    ) -> None:
        with pytest.raises(InvalidError, match="86,400"):
            self._approve(session, analysis_id, curator, seconds)


class TestDeleteSentence:
    @pytest.mark.parametrize(
        ("words", "rest"),
        [
            ("Painted in 1642.", "A vase stands. It is blue."),
            ("A vase", "Painted in 1642. It is blue."),
            ("blue", "Painted in 1642. A vase stands."),
        ],
    )
    def test_removes_the_whole_sentence_around_what_was_found(
        self, session: Session, curator: Account, words: str, rest: str
    ) -> None:
        text = "Painted in 1642. A vase stands. It is blue."
        finding = self._finding(session, text, words)

        made = reviews.delete_sentence(session, FindingId(finding.id), account=curator, seen=0)

        assert (made.number, made.text, made.account_id) == (1, rest, curator.id)

    def test_refuses_to_delete_the_only_one(self, session: Session, curator: Account) -> None:
        finding = self._finding(session, "Painted in 1642.", "1642")

        with pytest.raises(InvalidError, match="reject it"):
            reviews.delete_sentence(session, FindingId(finding.id), account=curator, seen=0)

    def test_refuses_a_finding_about_the_whole_text(
        self, session: Session, curator: Account
    ) -> None:
        analysis = factories.analysis(session)
        finding = factories.finding(session, analysis, span_start=None, span_end=None)

        with pytest.raises(InvalidError, match="whole text"):
            reviews.delete_sentence(session, FindingId(finding.id), account=curator, seen=0)

    def test_a_second_click_deletes_no_second_sentence(
        self, session: Session, curator: Account
    ) -> None:
        finding_id = FindingId(self._finding(session, "Of 1642. A vase. Blue.", "1642").id)
        reviews.delete_sentence(session, finding_id, account=curator, seen=0)

        for seen in (0, 1):
            with pytest.raises(StaleFindingError):
                reviews.delete_sentence(session, finding_id, account=curator, seen=seen)

    def test_refuses_another_wording_than_the_one_seen(
        self, session: Session, curator: Account
    ) -> None:
        finding = self._finding(session, "Of 1642. A vase.", "1642")

        with pytest.raises(StaleRevisionError):
            reviews.delete_sentence(session, FindingId(finding.id), account=curator, seen=3)

    def test_refuses_what_is_decided(self, session: Session, curator: Account) -> None:
        finding = self._finding(session, "Of 1642. A vase.", "1642")
        _reject(session, AnalysisId(finding.analysis_id), curator)

        with pytest.raises(AlreadyDecidedError):
            reviews.delete_sentence(session, FindingId(finding.id), account=curator, seen=0)

    def test_there_is_no_such_finding(self, session: Session, curator: Account) -> None:
        with pytest.raises(NotFoundError):
            reviews.delete_sentence(session, FindingId(ids.new()), account=curator, seen=0)

    def _finding(self, session: Session, text: str, words: str) -> Finding:
        start = text.index(words)
        return factories.finding(
            session,
            factories.analysis(session, text=text),
            span_start=start,
            span_end=start + len(words),
        )


class TestEditDistance:
    def test_is_counted_from_the_models_own_words(
        self, session: Session, analysis_id: AnalysisId, curator: Account
    ) -> None:
        first = _amend(session, analysis_id, "A red vase.", curator)
        second = _amend(session, analysis_id, "A blue vase stands.", curator)
        back = [_undo(session, analysis_id, curator) for _ in range(2)]

        measured = [
            (one.edit_distance, one.share_kept)
            for one in (first, second, *back)
            if isinstance(one, Revision)
        ]
        assert measured == [(4, 2 / 3), (7, 1), (4, 2 / 3), (0, 1)]

    def test_the_model_edits_nothing(self, session: Session, analysis_id: AnalysisId) -> None:
        own = analyses.get(session, analysis_id).revision

        assert (own.edit_distance, own.share_kept) == (None, None)


class TestLatest:
    def test_names_the_object_of_a_text_that_gave_way_to_a_new_one(
        self, session: Session, curator: Account
    ) -> None:
        old = factories.analysis(session)
        item = session.get_one(Item, old.item_id)
        factories.review(session, old, Decision.SUPERSEDED, by=curator)
        item.analysis_id, item.state, item.finished_at = None, ItemState.WAITING, None
        session.flush()

        (last,) = reviews.latest(session, account=curator, within=None)

        assert last.object_number == item.object_number

    def test_shows_ones_own_decisions_the_newest_first(
        self, session: Session, curator: Account
    ) -> None:
        made = factories.analyses(session, 3)
        for one in made:
            _approve(session, AnalysisId(one.id), curator)
        _approve(session, AnalysisId(factories.analysis(session).id), factories.account(session))

        last = reviews.latest(session, account=curator, within=None, limit=2)

        assert [one.review.analysis_id for one in last] == [made[2].id, made[1].id]
        assert [one.object_number for one in last] == [
            session.get_one(Item, one.item_id).object_number for one in (made[2], made[1])
        ]
        assert [one.review.revision.number for one in last] == [0, 0]

    def test_says_what_an_undo_would_take_back(
        self, session: Session, analysis_id: AnalysisId, curator: Account
    ) -> None:
        _approve(session, analysis_id, curator)
        assert self._stand(session, curator) == [True]

        _undo(session, analysis_id, curator)
        assert self._stand(session, curator) == [False]

        _reject(session, analysis_id, curator)
        assert self._stand(session, curator) == [True, False]

    def test_an_amendment_after_a_question_would_be_taken_back_first(
        self, session: Session, analysis_id: AnalysisId, curator: Account
    ) -> None:
        _ask(session, analysis_id, curator)
        _amend(session, analysis_id, "A green vase.", curator)

        assert self._stand(session, curator) == [False]

    def _stand(self, session: Session, account: Account) -> list[bool]:
        return [one.stands for one in reviews.latest(session, account=account, within=None)]


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
            decided = next(
                (entry for entry in reversed(stack) if not entry.isdigit()), "needs_review"
            )
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
            case "ask":
                _ask(session, analysis_id, by, seen=seen)
            case _:
                _undo(session, analysis_id, by)
    except ConflictError:
        return False
    return True


def _model(stack: list[str], step: str, text: str) -> bool:
    """Take a step on a stack of texts and decisions; say whether it is allowed."""
    if step == "undo":
        if stack:
            undone = stack.pop()
            if not undone.isdigit():
                # What is reopened needs review, whatever was asked before.
                stack[:] = [entry for entry in stack if entry.isdigit()]
            return True
        return False
    if stack and stack[-1] in {"approved", "rejected"}:
        return False
    decided = {"approve": "approved", "reject": "rejected", "ask": "needs_second"}
    stack.append(decided.get(step, text))
    return True
