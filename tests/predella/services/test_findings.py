import pytest
from sqlalchemy.orm import Session

from predella import ids
from predella.checks import CheckName, Severity
from predella.errors import (
    AlreadyDecidedError,
    ConflictError,
    InvalidError,
    NotFoundError,
    OpenCheckError,
    StaleFindingError,
)
from predella.ids import AnalysisId, CollectionId, FindingId
from predella.models import (
    Account,
    Analysis,
    Client,
    Collection,
    Decision,
    Dismissal,
    Image,
    RejectionReason,
    ReviewState,
    Submission,
)
from predella.services import analyses, checkups, collections, findings, reviews
from predella.services.findings import Count, FindingView
from predella.services.reviews import Ruling
from tests import factories

_TEXT = "Rembrandt lets the light fall. A vase stands there in 1642."


@pytest.fixture
def within(session: Session) -> Submission:
    submission = factories.submission(session)
    collection = session.get_one(Collection, submission.collection_id)
    collections.choose_thresholds(session, collection, {"off": ["length"]})
    return submission


@pytest.fixture
def curator(session: Session) -> Account:
    return factories.account(session)


@pytest.fixture
def analysis_id(session: Session, within: Submission) -> AnalysisId:
    return _checked(session, within)


def _checked(session: Session, within: Submission, text: str = _TEXT) -> AnalysisId:
    item = factories.item(session, within, artist="Rembrandt van Rijn")
    made = factories.analysis(session, item, text=text)
    checkups.run(session, [factories.newest_revision(session, made).id])
    return AnalysisId(made.id)


def _found(session: Session, analysis_id: AnalysisId) -> list[FindingView]:
    return list(analyses.get(session, analysis_id).findings)


def _open(session: Session, analysis_id: AnalysisId) -> list[str]:
    return [
        view.finding.check_name for view in _found(session, analysis_id) if not view.is_dismissed
    ]


def _dismiss(
    session: Session, analysis_id: AnalysisId, by: Account, check: str = "record"
) -> Dismissal:
    (found,) = [
        view.finding
        for view in _found(session, analysis_id)
        if view.finding.check_name.value == check
    ]
    return findings.dismiss(
        session, FindingId(found.id), reason="a quotation", account=by, client=Client.CLI
    )


def _approve(session: Session, analysis_id: AnalysisId, by: Account, seen: int = 0) -> None:
    reviews.approve(session, analysis_id, revision_number=seen, account=by, client=Client.CLI)


class TestOf:
    def test_names_the_words_and_says_why_the_loudest_first(
        self, session: Session, analysis_id: AnalysisId
    ) -> None:
        record, date = (view.finding for view in _found(session, analysis_id))

        assert (record.check_name, record.severity) == (CheckName.RECORD, Severity.HARD)
        assert _TEXT[record.span_start : record.span_end] == "Rembrandt"
        assert "Rembrandt" in record.sentence
        assert (date.check_name, date.evidence) == (CheckName.DATE, {"kind": "year"})


class TestApproval:
    def test_waits_for_a_hard_finding_and_a_rejection_does_not(
        self, session: Session, analysis_id: AnalysisId, curator: Account
    ) -> None:
        with pytest.raises(OpenCheckError, match="record") as caught:
            _approve(session, analysis_id, curator)

        assert caught.value.checks == [CheckName.RECORD]
        reviews.reject(
            session,
            analysis_id,
            revision_number=0,
            account=curator,
            client=Client.CLI,
            reason=RejectionReason.NAMES_OR_DATES,
        )

    def test_of_a_batch_holds_back_only_what_is_flagged(
        self, session: Session, analysis_id: AnalysisId, within: Submission, curator: Account
    ) -> None:
        clean = _checked(session, within, "A vase stands there.")
        rulings = [Ruling(one, 0, Decision.APPROVED) for one in (analysis_id, clean)]

        held, approved = reviews.decide_many(session, rulings, account=curator, client=Client.API)

        assert isinstance(held, OpenCheckError)
        assert not isinstance(approved, Exception)

    def test_is_open_once_the_finding_is_dismissed(
        self, session: Session, analysis_id: AnalysisId, curator: Account
    ) -> None:
        _dismiss(session, analysis_id, curator)

        _approve(session, analysis_id, curator)

        assert analyses.get(session, analysis_id).state is ReviewState.APPROVED

    def test_is_open_once_the_text_is_mended(
        self, session: Session, analysis_id: AnalysisId, curator: Account
    ) -> None:
        reviews.amend(session, analysis_id, text="The light falls.", account=curator, seen=0)

        assert _open(session, analysis_id) == []
        _approve(session, analysis_id, curator, seen=1)

    def test_waits_again_when_the_mending_is_undone(
        self, session: Session, analysis_id: AnalysisId, curator: Account
    ) -> None:
        reviews.amend(session, analysis_id, text="The light falls.", account=curator, seen=0)
        reviews.undo(session, analysis_id, account=curator, client=Client.CLI)

        with pytest.raises(OpenCheckError):
            _approve(session, analysis_id, curator, seen=2)


class TestDismiss:
    def test_keeps_who_said_why(
        self, session: Session, analysis_id: AnalysisId, curator: Account
    ) -> None:
        assert analyses.get(session, analysis_id).is_held

        _dismiss(session, analysis_id, curator)

        view = _found(session, analysis_id)[0]
        assert view.is_dismissed
        assert not analyses.get(session, analysis_id).is_held
        assert view.dismissal is not None
        assert (view.dismissal.reason, view.dismissal.account) == ("a quotation", curator)
        assert _open(session, analysis_id) == ["date"]

    def test_twice_says_it_once(
        self, session: Session, analysis_id: AnalysisId, curator: Account
    ) -> None:
        first = _dismiss(session, analysis_id, curator)

        assert _dismiss(session, analysis_id, factories.account(session)) is first

    def test_outlives_an_amendment_elsewhere_and_a_new_run(
        self, session: Session, analysis_id: AnalysisId, curator: Account
    ) -> None:
        _dismiss(session, analysis_id, curator)
        changed = "It begins anew. " + _TEXT.replace(" in 1642", "")

        revision = reviews.amend(session, analysis_id, text=changed, account=curator, seen=0)
        checkups.run(session, [revision.id])

        assert [view.is_dismissed for view in _found(session, analysis_id)] == [True]
        _approve(session, analysis_id, curator, seen=1)

    def test_ends_when_its_sentence_is_changed(
        self, session: Session, analysis_id: AnalysisId, curator: Account
    ) -> None:
        _dismiss(session, analysis_id, curator)
        changed = _TEXT.replace("lets", "makes")

        reviews.amend(session, analysis_id, text=changed, account=curator, seen=0)

        assert "record" in _open(session, analysis_id)

    def test_of_another_analysis_with_the_same_words_is_another(
        self, session: Session, analysis_id: AnalysisId, within: Submission, curator: Account
    ) -> None:
        other = _checked(session, within)

        _dismiss(session, analysis_id, curator)

        assert "record" in _open(session, other)

    @pytest.mark.parametrize(("reason", "said"), [(" \n", "why"), ("x" * 2_001, "2,001")])
    def test_needs_a_reason_of_reasonable_length(
        self, session: Session, analysis_id: AnalysisId, curator: Account, reason: str, said: str
    ) -> None:
        id_ = FindingId(_found(session, analysis_id)[0].finding.id)

        with pytest.raises(InvalidError, match=said):
            findings.dismiss(session, id_, reason=reason, account=curator, client=Client.API)

    def test_refuses_what_was_on_screen_before_a_newer_wording(
        self, session: Session, analysis_id: AnalysisId, curator: Account
    ) -> None:
        id_ = FindingId(_found(session, analysis_id)[0].finding.id)
        reviews.amend(session, analysis_id, text=_TEXT + " More.", account=curator, seen=0)

        with pytest.raises(StaleFindingError):
            findings.dismiss(session, id_, reason="no fault", account=curator, client=Client.API)

    def test_refuses_what_is_decided(
        self, session: Session, analysis_id: AnalysisId, curator: Account
    ) -> None:
        _dismiss(session, analysis_id, curator)
        _approve(session, analysis_id, curator)

        with pytest.raises(AlreadyDecidedError):
            _dismiss(session, analysis_id, curator, "date")

    def test_knows_only_what_exists(self, session: Session, curator: Account) -> None:
        with pytest.raises(NotFoundError):
            findings.dismiss(
                session, FindingId(ids.new()), reason="no", account=curator, client=Client.API
            )


class TestWithdraw:
    def test_opens_the_finding_again(
        self, session: Session, analysis_id: AnalysisId, curator: Account
    ) -> None:
        _dismiss(session, analysis_id, curator)
        id_ = FindingId(_found(session, analysis_id)[0].finding.id)

        findings.withdraw(session, id_, account=curator, client=Client.CLI)

        assert "record" in _open(session, analysis_id)
        with pytest.raises(OpenCheckError):
            _approve(session, analysis_id, curator)
        assert _dismiss(session, analysis_id, curator).number == 3

    def test_refuses_what_is_not_dismissed(
        self, session: Session, analysis_id: AnalysisId, curator: Account
    ) -> None:
        id_ = FindingId(_found(session, analysis_id)[0].finding.id)

        with pytest.raises(ConflictError, match="not dismissed"):
            findings.withdraw(session, id_, account=curator, client=Client.CLI)

    def test_refuses_to_pull_the_ground_from_under_an_approval(
        self, session: Session, analysis_id: AnalysisId, curator: Account
    ) -> None:
        _dismiss(session, analysis_id, curator)
        _approve(session, analysis_id, curator)
        id_ = FindingId(_found(session, analysis_id)[0].finding.id)

        with pytest.raises(AlreadyDecidedError):
            findings.withdraw(session, id_, account=curator, client=Client.CLI)


class TestCounts:
    def test_say_what_is_open_where(
        self, session: Session, analysis_id: AnalysisId, within: Submission, curator: Account
    ) -> None:
        _checked(session, within)
        _checked(session, factories.submission(session), "It was made in 1642. It is of 1643.")
        _dismiss(session, analysis_id, curator)
        id_ = CollectionId(within.collection_id)

        assert findings.counts(session, within=None, collection_id=id_) == [
            Count(CheckName.RECORD, Severity.HARD, 1),
            Count(CheckName.DATE, Severity.SOFT, 2),
        ]
        _approve(session, analysis_id, curator)
        assert findings.counts(
            session, within=None, collection_id=id_, state=ReviewState.APPROVED
        ) == [Count(CheckName.DATE, Severity.SOFT, 1)]


class TestListed:
    def test_keeps_to_what_a_check_has_something_to_say_of(
        self, session: Session, analysis_id: AnalysisId, within: Submission, curator: Account
    ) -> None:
        other = _checked(session, within, "A vase of 1642.")
        _checked(session, within, "A vase.")

        def listed(**filters: object) -> list[AnalysisId]:
            return [view.id for view in analyses.listed(session, within=None, **filters)]  # type: ignore[arg-type]

        within_submission = {"submission_id": within.id}
        assert listed(check=CheckName.DATE, **within_submission) == [analysis_id, other]
        assert listed(severity=Severity.HARD, **within_submission) == [analysis_id]
        _dismiss(session, analysis_id, curator)
        assert listed(severity=Severity.HARD, **within_submission) == []
        assert listed(check=CheckName.RECORD, state=ReviewState.NEEDS_REVIEW) == []


def test_no_text_is_ever_decided_on_by_a_check(session: Session, within: Submission) -> None:
    loop = _checked(session, within, "and the light " * 40)

    view = analyses.get(session, loop)

    assert view.findings[0].finding.severity is Severity.HARD
    assert (view.state, view.review) == (ReviewState.NEEDS_REVIEW, None)
    assert session.get_one(Analysis, loop).text == "and the light " * 40
    assert session.get_one(Image, view.image.id) is view.image
