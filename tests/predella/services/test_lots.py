import threading

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from predella import db, sampling
from predella.checks import CheckName, Severity
from predella.errors import ConflictError, InvalidError, NotFoundError
from predella.ids import AnalysisId, LotId
from predella.models import (
    Account,
    Analysis,
    Checkup,
    Client,
    Collection,
    Decision,
    Finding,
    Item,
    Lot,
    LotMember,
    LotState,
    RejectionReason,
    Review,
    ReviewState,
    Standing,
    Submission,
)
from predella.sampling import Plan
from predella.services import collections, controls, lots, reviews, searches
from predella.services.lots import Judgement
from predella.settings import Settings
from tests import factories


@pytest.fixture
def within(session: Session) -> Submission:
    submission = factories.submission(session)
    collection = session.get_one(Collection, submission.collection_id)
    collections.choose_thresholds(session, collection, {"off": ["length"]})
    return submission


@pytest.fixture
def approver(session: Session) -> Account:
    return factories.account(session)


def _lot(session: Session, within: Submission, approver: Account, *, seed: int = 1) -> Lot:
    collection = session.get_one(Collection, within.collection_id)
    return lots.create(
        session, collection=collection, plan=Plan.STANDARD, account=approver, seed=seed
    )


def _flag(session: Session, made: Analysis, severity: Severity) -> None:
    wording = factories.newest_revision(session, made)
    checkup = Checkup(
        analysis_id=made.id,
        revision_id=wording.id,
        revision_sha256=wording.sha256,
        number=0,
        suite="ab" * 32,
    )
    session.add(checkup)
    session.flush()
    finding = Finding(
        checkup_id=checkup.id,
        analysis_id=made.id,
        check_name=CheckName.LEAK,
        version=1,
        severity=severity,
        sentence="It leaks.",
        evidence={},
        fingerprint=factories.digest("passage"),
    )
    session.add(finding)
    session.flush()


def _unread(session: Session, lot: Lot) -> list[AnalysisId]:
    query = select(LotMember.analysis_id).where(
        LotMember.lot_id == lot.id, LotMember.sample_number.is_(None)
    )
    return [AnalysisId(one) for one in session.scalars(query.order_by(LotMember.analysis_id))]


def _read(session: Session, lot: Lot, by: Account, *, bad: int = 0, leave: int = 0) -> None:
    """Read the sample: so many rejected, so many left undecided, the others approved."""
    drawn = lots.sample(session, lot)
    for place, one in enumerate(drawn[: len(drawn) - leave]):
        id_ = AnalysisId(one.analysis_id)
        if place < bad:
            _reject(session, id_, by)
        else:
            _approve(session, id_, by)


def _approve(session: Session, id_: AnalysisId, by: Account, wording: int = 0) -> None:
    reviews.approve(session, id_, revision_number=wording, account=by, client=Client.CLI)


def _reject(session: Session, id_: AnalysisId, by: Account) -> None:
    reviews.reject(
        session,
        id_,
        revision_number=0,
        account=by,
        client=Client.CLI,
        reason=RejectionReason.COLOUR,
    )


def _conclude(session: Session, lot: Lot, by: Account) -> Lot:
    return lots.conclude(session, LotId(lot.id), account=by, client=Client.CLI)


def _revert(session: Session, lot: Lot, by: Account) -> Lot:
    return lots.revert(session, LotId(lot.id), account=by, client=Client.CLI)


def _states(session: Session) -> dict[ReviewState, int]:
    rows = session.execute(select(Standing.state, func.count()).group_by(Standing.state))
    return {row[0]: row[1] for row in rows}


class TestCreate:
    def test_freezes_the_wordings_and_draws_a_sample_that_the_seed_draws_again(
        self, session: Session, within: Submission, approver: Account
    ) -> None:
        made = {one.id for one in factories.analyses(session, 120, within)}

        lot = _lot(session, within, approver, seed=77120)

        drawn = [one.analysis_id for one in lots.sample(session, lot)]
        assert drawn == sampling.draw({"all": list(made)}, lot.sample_count, seed=77120)
        size = sampling.sample_size(Plan.STANDARD, 120)
        assert (lot.member_count, lot.sample_count, lot.allowed) == (120, size, 2)

    def test_leaves_flagged_texts_to_be_read_and_counts_them(
        self, session: Session, within: Submission, approver: Account
    ) -> None:
        hard, soft, _, *_ = made = factories.analyses(session, 10, within)
        _flag(session, hard, Severity.HARD)
        _flag(session, soft, Severity.SOFT)
        _flag(session, made[2], Severity.INFO)

        lot = _lot(session, within, approver)

        assert (lot.member_count, lot.flagged_count) == (8, 2)

    def test_takes_only_what_needs_review_in_its_own_collection(
        self, session: Session, within: Submission, approver: Account
    ) -> None:
        approved, *_ = factories.analyses(session, 3, within)
        _approve(session, AnalysisId(approved.id), approver)
        factories.analyses(session, 2)

        assert _lot(session, within, approver).member_count == 2

    def test_takes_the_texts_that_are_named_or_selected(
        self, session: Session, within: Submission, approver: Account
    ) -> None:
        one, other, *_ = factories.analyses(session, 5, within)
        collection = session.get_one(Collection, within.collection_id)
        number = session.get_one(Item, other.item_id).object_number

        lot = lots.create(
            session,
            collection=collection,
            plan=Plan.STRICT,
            account=approver,
            analysis_ids=[AnalysisId(one.id), AnalysisId(other.id)],
            search=searches.parse(session, f"-object:{number}", account=approver, within=None),
        )

        assert [drawn.analysis_id for drawn in lots.sample(session, lot)] == [one.id]
        assert lot.query == f"-object:{number}"

    def test_a_query_brings_in_nothing_flagged_nothing_decided_and_nothing_from_elsewhere(
        self, session: Session, within: Submission, approver: Account
    ) -> None:
        good, flagged, approved = factories.analyses(session, 3, within)
        factories.finding(session, flagged)
        _approve(session, AnalysisId(approved.id), approver)
        factories.analyses(session, 2)
        query = "state:needs_review,approved"

        lot = lots.create(
            session,
            collection=session.get_one(Collection, within.collection_id),
            plan=Plan.STRICT,
            account=approver,
            search=searches.parse(session, query, account=approver, within=None),
        )

        assert [drawn.analysis_id for drawn in lots.sample(session, lot)] == [good.id]
        assert (lot.member_count, lot.flagged_count) == (1, 1)

    def test_reads_five_of_each_release(
        self, session: Session, within: Submission, approver: Account
    ) -> None:
        factories.analyses(session, 300, within)
        few = {one.id for one in factories.analyses(session, 6, within)}

        drawn = {one.analysis_id for one in lots.sample(session, _lot(session, within, approver))}

        assert len(drawn & few) == 5

    def test_finds_no_member_that_another_open_lot_has(
        self, session: Session, within: Submission, approver: Account
    ) -> None:
        factories.analyses(session, 3, within)
        _lot(session, within, approver)

        with pytest.raises(InvalidError, match="nothing to make a lot of"):
            _lot(session, within, approver)

    def test_leaves_control_items_alone(
        self, session: Session, within: Submission, approver: Account
    ) -> None:
        control, *_ = factories.analyses(session, 3, within)
        controls.seed(
            session, AnalysisId(control.id), expected=RejectionReason.COLOUR, account=approver
        )

        assert _lot(session, within, approver).member_count == 2


def _conclude_failed(session: Session, lot: Lot, by: Account) -> None:
    _read(session, lot, by, bad=3, leave=lot.sample_count - 3)
    assert _conclude(session, lot, by).state is LotState.FAILED


class TestProgress:
    def test_counts_what_was_rejected_or_amended_as_defects(
        self, session: Session, within: Submission, approver: Account
    ) -> None:
        factories.analyses(session, 200, within)
        lot = _lot(session, within, approver)
        rejected, amended, good, *_ = (
            AnalysisId(one.analysis_id) for one in lots.sample(session, lot)
        )
        _reject(session, rejected, approver)
        reviews.amend(session, amended, text="A better wording.", account=approver, seen=0)
        _approve(session, amended, approver, wording=1)
        _approve(session, good, approver)

        found = lots.progress(session, lot)

        assert [one.judgement for one in lots.sample(session, lot)[:4]] == [
            Judgement.DEFECT,
            Judgement.DEFECT,
            Judgement.GOOD,
            None,
        ]
        assert (found.reviewed, found.defects, found.can_pass, found.is_complete) == (
            3,
            2,
            True,
            False,
        )
        assert found.upper_bound == pytest.approx(0.983, abs=0.001)

    def test_forgets_a_decision_that_was_undone(
        self, session: Session, within: Submission, approver: Account
    ) -> None:
        factories.analyses(session, 5, within)
        lot = _lot(session, within, approver)
        id_ = AnalysisId(lots.sample(session, lot)[0].analysis_id)
        _reject(session, id_, approver)
        reviews.undo(session, id_, account=approver, client=Client.CLI)

        assert lots.progress(session, lot).reviewed == 0


class TestConclude:
    def test_accepts_by_sample_what_nobody_read_and_never_approves_it(
        self, session: Session, within: Submission, approver: Account
    ) -> None:
        factories.analyses(session, 130, within)
        lot = _lot(session, within, approver)
        unread = len(_unread(session, lot))
        _read(session, lot, approver, bad=2)

        concluded = _conclude(session, lot, approver)

        assert (concluded.state, concluded.defect_count) == (LotState.PASSED, 2)
        assert concluded.accepted_count == unread > 0
        assert _states(session) == {
            ReviewState.REJECTED: 2,
            ReviewState.APPROVED: lot.sample_count - 2,
            ReviewState.ACCEPTED_BY_SAMPLE: unread,
        }

    def test_leaves_out_what_was_changed_decided_flagged_or_asked_about_meanwhile(
        self, session: Session, within: Submission, approver: Account
    ) -> None:
        factories.analyses(session, 130, within)
        lot = _lot(session, within, approver)
        amended, decided, flagged, asked, *rest = _unread(session, lot)
        reviews.amend(session, amended, text="A better wording.", account=approver, seen=0)
        _reject(session, decided, approver)
        _flag(session, session.get_one(Analysis, flagged), Severity.SOFT)
        factories.review(session, session.get_one(Analysis, asked), Decision.NEEDS_SECOND)
        _read(session, lot, approver)

        concluded = _conclude(session, lot, approver)

        accepted = session.scalars(select(Review.analysis_id).where(Review.lot_id == lot.id)).all()
        assert set(accepted) == set(rest)
        assert concluded.accepted_count == len(rest)

    def test_waits_for_the_whole_sample(
        self, session: Session, within: Submission, approver: Account
    ) -> None:
        factories.analyses(session, 10, within)
        lot = _lot(session, within, approver)
        _read(session, lot, approver, leave=1)

        with pytest.raises(ConflictError, match="1 of its sample of 10 are still to be read"):
            _conclude(session, lot, approver)

    def test_fails_with_one_defect_too_many_and_bars_those_wordings_from_other_lots(
        self, session: Session, within: Submission, approver: Account
    ) -> None:
        factories.analyses(session, 130, within)
        lot = _lot(session, within, approver)
        rewritten, *_ = _unread(session, lot)
        _conclude_failed(session, lot, approver)

        assert ReviewState.ACCEPTED_BY_SAMPLE not in _states(session)
        with pytest.raises(InvalidError, match="nothing to make a lot of"):
            _lot(session, within, approver)
        reviews.amend(session, rewritten, text="Another wording.", account=approver, seen=0)
        assert _lot(session, within, approver).member_count == 1

    def test_said_twice_is_said_once(
        self, session: Session, within: Submission, approver: Account
    ) -> None:
        factories.analyses(session, 130, within)
        lot = _lot(session, within, approver)
        _read(session, lot, approver)

        again = [_conclude(session, lot, approver).accepted_count for _ in range(2)]

        assert (
            again[0]
            == again[1]
            == session.scalar(select(func.count()).where(Review.lot_id == lot.id))
        )

    def test_of_two_at_once_accepts_once(self, session: Session, settings: Settings) -> None:
        assert settings
        within, approver = factories.submission(session), factories.account(session)
        factories.analyses(session, 130, within)
        lot = _lot(session, within, approver)
        _read(session, lot, approver)
        session.commit()
        accepted: list[int] = []

        def click() -> None:
            with db.transaction() as own:
                by = own.get_one(Account, approver.id)
                accepted.append(_conclude(own, lot, by).accepted_count)

        clicks = [threading.Thread(target=click) for _ in range(2)]
        for one in clicks:
            one.start()
        for one in clicks:
            one.join()

        written = session.scalar(select(func.count()).where(Review.lot_id == lot.id))
        assert accepted == [written, written]

    def test_knows_no_lot_that_there_is_not(self, session: Session, approver: Account) -> None:
        nothing = LotId(approver.id)

        with pytest.raises(NotFoundError):
            lots.conclude(session, nothing, account=approver, client=Client.CLI)


class TestRevert:
    def test_reopens_what_it_accepted_and_leaves_what_people_decided(
        self, session: Session, within: Submission, approver: Account
    ) -> None:
        factories.analyses(session, 130, within)
        lot = _lot(session, within, approver)
        undone, *others = _unread(session, lot)
        _read(session, lot, approver)
        _conclude(session, lot, approver)
        reviews.undo(session, undone, account=approver, client=Client.CLI)
        _reject(session, undone, approver)

        states = [_revert(session, lot, approver).state for _ in range(2)]

        assert states == [LotState.REVERTED] * 2
        assert _states(session) == {
            ReviewState.APPROVED: lot.sample_count,
            ReviewState.REJECTED: 1,
            ReviewState.NEEDS_REVIEW: len(others),
        }

    def test_is_for_lots_that_passed(
        self, session: Session, within: Submission, approver: Account
    ) -> None:
        factories.analyses(session, 3, within)
        lot = _lot(session, within, approver)

        with pytest.raises(ConflictError, match="is open, not passed"):
            _revert(session, lot, approver)


class TestTheDatabase:
    def test_refuses_an_acceptance_without_a_lot(self, session: Session) -> None:
        made = factories.analysis(session)

        with pytest.raises(IntegrityError, match="ck_review_lot"):
            factories.review(session, made, Decision.ACCEPTED_BY_SAMPLE)

    def test_refuses_an_approval_that_names_a_lot(
        self, session: Session, within: Submission, approver: Account
    ) -> None:
        made, *_ = factories.analyses(session, 3, within)
        lot = _lot(session, within, approver)

        with pytest.raises(IntegrityError, match="ck_review_lot"):
            factories.review(session, made, lot_id=lot.id)

    def test_refuses_to_accept_another_wording_than_the_lot_s(
        self, session: Session, within: Submission, approver: Account
    ) -> None:
        made, *_ = factories.analyses(session, 3, within)
        lot = _lot(session, within, approver)
        factories.revision(session, made, text="Another wording.", account=approver)

        with pytest.raises(IntegrityError, match="fk_review_lot_member"):
            factories.review(session, made, Decision.ACCEPTED_BY_SAMPLE, lot_id=lot.id)

    def test_refuses_an_analysis_in_two_open_lots(
        self, session: Session, within: Submission, approver: Account
    ) -> None:
        one, other = factories.analyses(session, 2, within)
        collection = session.get_one(Collection, within.collection_id)
        first, second = (
            lots.create(
                session,
                collection=collection,
                plan=Plan.STANDARD,
                account=approver,
                analysis_ids=[AnalysisId(of.id)],
            )
            for of in (one, other)
        )
        wording = factories.newest_revision(session, one)
        assert first.member_count == second.member_count
        session.add(
            LotMember(
                lot_id=second.id,
                analysis_id=one.id,
                revision_id=wording.id,
                revision_sha256=wording.sha256,
            )
        )

        with pytest.raises(IntegrityError, match=r"uq_lot_member_(open|held)"):
            session.flush()
