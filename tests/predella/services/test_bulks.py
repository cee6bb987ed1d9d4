from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from predella import clock, ids
from predella.errors import (
    ConflictError,
    CountMismatchError,
    ExpiredSelectionError,
    InvalidError,
    NotFoundError,
)
from predella.ids import AnalysisId, SelectionId
from predella.models import (
    Account,
    Analysis,
    Client,
    Collection,
    Decision,
    Lot,
    RejectionReason,
    Review,
    ReviewState,
    Selection,
    Standing,
)
from predella.sampling import Plan
from predella.services import analyses, bulks, checkups, openings, reviews, searches, selections
from predella.services.bulks import BulkResult, Hindrance
from tests import factories


@pytest.fixture
def curator(session: Session) -> Account:
    return factories.account(session)


@pytest.fixture
def made(session: Session) -> Sequence[Analysis]:
    within = factories.collection(session, slug="sk")
    return factories.analyses(session, 4, factories.submission(session, within))


def _freeze(session: Session, by: Account, query: str = "collection:sk") -> Selection:
    return selections.freeze(
        session, searches.parse(session, query, account=by, within=None), account=by
    )


def _open(session: Session, made: Sequence[Analysis], by: Account) -> None:
    wordings = [factories.newest_revision(session, one) for one in made]
    openings.note(session, *wordings, account=by)


def _decide(
    session: Session, selection: Selection, decision: bulks.BulkDecision, by: Account
) -> BulkResult:
    return bulks.decide(
        session,
        SelectionId(selection.id),
        expected_count=selection.count,
        decision=decision,
        reason=RejectionReason.STYLE if decision is Decision.REJECTED else None,
        account=by,
        client=Client.DESK,
    )


def _revert(session: Session, selection: Selection, by: Account) -> BulkResult:
    return bulks.revert(session, SelectionId(selection.id), account=by, client=Client.DESK)


def _sample(
    session: Session,
    selection: Selection,
    collection: Collection,
    by: Account,
    *,
    count: int | None = None,
) -> Lot:
    return bulks.sample(
        session,
        SelectionId(selection.id),
        expected_count=selection.count if count is None else count,
        collection=collection,
        plan=Plan.QUICK_LOOK,
        account=by,
    )


def _collection_of(session: Session, made: Sequence[Analysis]) -> Collection:
    standing = session.get_one(Standing, made[0].id)
    return session.get_one(Collection, standing.collection_id)


def _states(session: Session, made: Sequence[Analysis]) -> list[ReviewState]:
    stand = {
        row.analysis_id: row.state
        for row in session.execute(select(Standing.analysis_id, Standing.state))
    }
    return [stand[one.id] for one in made]


def _why(result: BulkResult) -> dict[AnalysisId, Hindrance]:
    return {one.analysis_id: one.why for one in result.refused}


class TestDecide:
    def test_rejects_all_with_one_reason_and_the_selection_in_every_review(
        self, session: Session, made: Sequence[Analysis], curator: Account
    ) -> None:
        selection = _freeze(session, curator)

        result = _decide(session, selection, Decision.REJECTED, curator)

        assert (result.decided, result.refused) == (4, [])
        written = session.scalars(select(Review).filter_by(selection_id=selection.id)).all()
        assert {one.analysis_id for one in written} == {one.id for one in made}
        assert {one.reason for one in written} == {RejectionReason.STYLE}
        assert set(_states(session, made)) == {ReviewState.REJECTED}

    def test_approves_only_what_the_account_has_had_open(
        self, session: Session, made: Sequence[Analysis], curator: Account
    ) -> None:
        _open(session, made[:2], curator)
        _open(session, made[2:], factories.account(session))

        result = _decide(session, _freeze(session, curator), Decision.APPROVED, curator)

        assert result.decided == 2
        assert _why(result) == {AnalysisId(one.id): Hindrance.NOT_OPENED for one in made[2:]}
        assert Counter(_states(session, made)) == {
            ReviewState.APPROVED: 2,
            ReviewState.NEEDS_REVIEW: 2,
        }

    def test_leaves_what_was_decided_or_reworded_since_it_was_frozen(
        self, session: Session, made: Sequence[Analysis], curator: Account
    ) -> None:
        _open(session, made, curator)
        selection = _freeze(session, curator)
        factories.review(session, made[0], Decision.REJECTED)
        factories.revision(session, made[1], text="A green vase.", account=curator)

        result = _decide(session, selection, Decision.APPROVED, curator)

        assert result.decided == 2
        assert _why(result) == {
            made[0].id: Hindrance.DECIDED,
            made[1].id: Hindrance.CHANGED,
        }

    def test_approves_nothing_that_is_held_or_empty_but_rejects_it(
        self, session: Session, made: Sequence[Analysis], curator: Account
    ) -> None:
        leaking = factories.revision(
            session, made[0], text="USER: what is it? ASSISTANT: a vase.", account=curator
        )
        checkups.run(session, [leaking.id])
        factories.revision(session, made[1], text=" \n", account=curator)
        _open(session, made, curator)
        selection = _freeze(session, curator)

        approved = _decide(session, selection, Decision.APPROVED, curator)
        rejected = _decide(session, selection, Decision.REJECTED, curator)

        assert _why(approved) == {made[0].id: Hindrance.HELD, made[1].id: Hindrance.EMPTY}
        assert rejected.decided == 2
        assert set(_why(rejected).values()) == {Hindrance.DECIDED}

    def test_leaves_to_others_what_the_account_wrote_where_the_collection_wants_that(
        self, session: Session, made: Sequence[Analysis], curator: Account
    ) -> None:
        session.scalars(select(Collection)).one().review_rules = {"second_approver": True}
        factories.revision(session, made[0], text="A green vase stands alone.", account=curator)
        _open(session, made, curator)

        result = _decide(session, _freeze(session, curator), Decision.APPROVED, curator)

        assert _why(result) == {made[0].id: Hindrance.OWN}
        assert result.decided == 3

    def test_reopens_what_is_decided(
        self, session: Session, made: Sequence[Analysis], curator: Account
    ) -> None:
        factories.approvals(session, made[:3])

        result = _decide(session, _freeze(session, curator), Decision.REOPENED, curator)

        assert result.decided == 3
        assert _why(result) == {made[3].id: Hindrance.UNDECIDED}
        assert set(_states(session, made)) == {ReviewState.NEEDS_REVIEW}

    def test_writes_nothing_when_the_count_is_another(
        self, session: Session, made: Sequence[Analysis], curator: Account
    ) -> None:
        selection = _freeze(session, curator)

        with pytest.raises(CountMismatchError, match="holds 4 texts, not 3"):
            bulks.decide(
                session,
                SelectionId(selection.id),
                expected_count=3,
                decision=Decision.REOPENED,
                account=curator,
                client=Client.API,
            )

        assert set(_states(session, made)) == {ReviewState.NEEDS_REVIEW}

    def test_only_who_froze_it_decides(
        self, session: Session, made: Sequence[Analysis], curator: Account
    ) -> None:
        assert made
        selection = _freeze(session, factories.account(session, name="nina"))

        with pytest.raises(ConflictError, match="Nina froze"):
            _decide(session, selection, Decision.REJECTED, curator)

    def test_a_selection_lives_for_a_day(
        self,
        session: Session,
        made: Sequence[Analysis],
        curator: Account,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        assert made
        selection = _freeze(session, curator)
        later = clock.now() + timedelta(hours=25)
        monkeypatch.setattr(clock, "now", lambda: later)

        with pytest.raises(ExpiredSelectionError):
            _decide(session, selection, Decision.REJECTED, curator)

    def test_a_rejection_needs_a_reason_and_nothing_else_has_one(
        self, session: Session, made: Sequence[Analysis], curator: Account
    ) -> None:
        assert made
        selection = _freeze(session, curator)

        wrong: list[tuple[bulks.BulkDecision, RejectionReason | None]] = [
            (Decision.REJECTED, None),
            (Decision.APPROVED, RejectionReason.OTHER),
        ]
        for decision, reason in wrong:
            with pytest.raises(InvalidError, match="reason"):
                bulks.decide(
                    session,
                    SelectionId(selection.id),
                    expected_count=4,
                    decision=decision,
                    reason=reason,
                    account=curator,
                    client=Client.API,
                )

    def test_there_is_no_such_selection(self, session: Session, curator: Account) -> None:
        with pytest.raises(NotFoundError):
            bulks.revert(session, SelectionId(ids.new()), account=curator, client=Client.API)


class TestSample:
    def test_makes_a_lot_of_the_clean_ones_of_one_collection(
        self, session: Session, made: Sequence[Analysis], curator: Account
    ) -> None:
        factories.finding(session, made[0])
        factories.analysis(session)
        selection = _freeze(session, curator, "")
        collection = _collection_of(session, made)
        factories.analyses(session, 2, factories.submission(session, collection))

        lot = _sample(session, selection, collection, curator)

        assert lot.member_count == len(made) - 1

    def test_makes_nothing_when_the_count_is_another(
        self, session: Session, made: Sequence[Analysis], curator: Account
    ) -> None:
        selection = _freeze(session, curator)

        with pytest.raises(CountMismatchError):
            _sample(session, selection, _collection_of(session, made), curator, count=3)


class TestOutcome:
    def test_is_nothing_before_anything_was_decided(
        self, session: Session, made: Sequence[Analysis], curator: Account
    ) -> None:
        assert made
        assert bulks.outcome(session, SelectionId(_freeze(session, curator).id)) is None

    def test_tells_what_was_decided_and_how_much_still_stands(
        self, session: Session, made: Sequence[Analysis], curator: Account
    ) -> None:
        selection = _freeze(session, curator)
        selection_id = SelectionId(selection.id)
        _decide(session, selection, Decision.REJECTED, curator)
        reviews.undo(session, AnalysisId(made[0].id), account=curator, client=Client.CLI)

        before = bulks.outcome(session, selection_id)
        _revert(session, selection, curator)
        after = bulks.outcome(session, selection_id)

        assert before
        assert (before.decision, before.decided, before.standing) == (Decision.REJECTED, 4, 3)
        assert after
        assert (after.decision, after.decided, after.standing) == (Decision.REJECTED, 4, 0)


class TestRevert:
    def test_reopens_what_the_batch_decided_and_leaves_what_was_decided_since(
        self, session: Session, made: Sequence[Analysis], curator: Account
    ) -> None:
        selection = _freeze(session, curator)
        _decide(session, selection, Decision.REJECTED, curator)
        for one in made[:2]:
            reviews.undo(session, AnalysisId(one.id), account=curator, client=Client.CLI)
        factories.review(session, made[0])

        result = _revert(session, selection, factories.account(session))

        assert result.decided == 2
        assert _why(result) == {made[0].id: Hindrance.REVISED, made[1].id: Hindrance.UNDECIDED}
        assert Counter(_states(session, made)) == {
            ReviewState.APPROVED: 1,
            ReviewState.NEEDS_REVIEW: 3,
        }

    def test_done_twice_it_is_done_once(
        self, session: Session, made: Sequence[Analysis], curator: Account
    ) -> None:
        selection = _freeze(session, curator)
        _decide(session, selection, Decision.REJECTED, curator)

        _revert(session, selection, curator)
        again = _revert(session, selection, curator)

        assert again.decided == 0
        assert len(again.refused) == len(made)
        steps = analyses.history(session, AnalysisId(made[0].id))
        assert len(steps) == 3
