import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from predella.errors import ConflictError, NotFoundError
from predella.ids import AnalysisId, CollectionId, ControlId
from predella.models import (
    Account,
    Analysis,
    Client,
    Collection,
    Control,
    Decision,
    ExportLine,
    RejectionReason,
    Review,
    ReviewState,
    Standing,
    Submission,
)
from predella.sampling import Plan
from predella.services import controls, lots, outgoing, reviews
from predella.services.controls import Detection
from tests import factories


@pytest.fixture
def within(session: Session) -> Submission:
    return factories.submission(session)


@pytest.fixture
def seeder(session: Session) -> Account:
    return factories.account(session)


@pytest.fixture
def curator(session: Session) -> Account:
    return factories.account(session)


def _seed(session: Session, of: Analysis, by: Account) -> Control:
    return controls.seed(
        session, AnalysisId(of.id), expected=RejectionReason.INVENTED_DETAIL, account=by
    )


def _detection(session: Session, within: Submission) -> Detection:
    return controls.caught(session, CollectionId(within.collection_id))


def _reveal(session: Session, control: Control, by: Account) -> Control:
    return controls.reveal(session, ControlId(control.id), account=by, client=Client.CLI)


class TestSeed:
    def test_leaves_the_text_in_the_queue_as_any_other(
        self, session: Session, within: Submission, seeder: Account
    ) -> None:
        made, *_ = factories.analyses(session, 1, within)

        control = _seed(session, made, seeder)

        assert control.revision_sha256 == factories.newest_revision(session, made).sha256
        assert session.get_one(Standing, made.id).state is ReviewState.NEEDS_REVIEW

    def test_refuses_what_is_decided_seeded_already_or_in_an_open_lot(
        self, session: Session, within: Submission, seeder: Account
    ) -> None:
        decided, seeded, member = factories.analyses(session, 3, within)
        factories.review(session, decided)
        _seed(session, seeded, seeder)
        lots.create(
            session,
            collection=session.get_one(Collection, within.collection_id),
            plan=Plan.QUICK_LOOK,
            account=seeder,
            analysis_ids=[AnalysisId(member.id)],
        )

        for of, why in ((decided, "undecided"), (seeded, "already"), (member, "open lot")):
            with pytest.raises(ConflictError, match=why):
                _seed(session, of, seeder)

    def test_knows_no_text_that_there_is_not(self, session: Session, seeder: Account) -> None:
        nothing = AnalysisId(seeder.id)

        with pytest.raises(NotFoundError):
            controls.seed(session, nothing, expected=RejectionReason.OTHER, account=seeder)


class TestCaught:
    def test_counts_the_first_decision_of_anybody_else(
        self, session: Session, within: Submission, seeder: Account, curator: Account
    ) -> None:
        rejected, amended, missed, by_seeder, _ = made = factories.analyses(session, 5, within)
        for one in made:
            _seed(session, one, seeder)
        factories.review(session, rejected, Decision.REJECTED, by=curator)
        factories.revision(session, amended, text="It is better.", account=curator)
        factories.review(session, amended, by=curator)
        wrong = factories.review(session, missed, by=curator)
        factories.review(session, missed, Decision.REOPENED, by=curator, undoes_id=wrong.id)
        factories.review(session, missed, Decision.REJECTED, by=curator)
        factories.review(session, by_seeder, Decision.REJECTED, by=seeder)

        found = _detection(session, within)

        assert found == Detection(seeded=5, caught=2, missed=1)
        assert found.waiting == 2
        assert found.rate == pytest.approx(2 / 3)

    def test_knows_no_rate_before_the_first_decision(
        self, session: Session, within: Submission
    ) -> None:
        assert _detection(session, within).rate is None


class TestReveal:
    def test_reopens_a_miss_and_says_it_once(
        self, session: Session, within: Submission, seeder: Account, curator: Account
    ) -> None:
        made, *_ = factories.analyses(session, 1, within)
        control = _seed(session, made, seeder)
        factories.review(session, made, by=curator)

        first = _reveal(session, control, seeder).revealed_at
        again = _reveal(session, control, seeder).revealed_at

        assert first == again is not None
        session.expire_all()
        assert session.get_one(Standing, made.id).state is ReviewState.NEEDS_REVIEW
        decisions = select(func.count()).where(Review.analysis_id == made.id)
        assert session.scalar(decisions) == 2
        assert _detection(session, within).missed == 1

    def test_knows_no_control_that_there_is_not(self, session: Session, seeder: Account) -> None:
        with pytest.raises(NotFoundError):
            controls.reveal(session, ControlId(seeder.id), account=seeder, client=Client.CLI)


class TestAControlNeverLeaves:
    def test_and_is_no_entry_of_an_export_though_approved(
        self, session: Session, within: Submission, seeder: Account, curator: Account
    ) -> None:
        control, good = factories.analyses(session, 2, within)
        _seed(session, control, seeder)
        factories.review(session, control, by=curator)
        factories.review(session, good, by=curator)

        leaving = outgoing.departures(session, session.get_one(Collection, within.collection_id))

        assert [one.analysis_id for one in leaving] == [good.id]

    def test_says_the_database_itself(
        self, session: Session, within: Submission, seeder: Account, curator: Account
    ) -> None:
        made, *_ = factories.analyses(session, 1, within)
        _seed(session, made, seeder)
        approval = factories.review(session, made, by=curator)
        export = factories.export(session, session.get_one(Collection, within.collection_id))

        with pytest.raises(DBAPIError, match="a control item never leaves"):
            _leave(session, export.id, made, approval)

    def test_until_its_wording_is_mended(
        self, session: Session, within: Submission, seeder: Account, curator: Account
    ) -> None:
        made, *_ = factories.analyses(session, 1, within)
        _seed(session, made, seeder)
        reviews.amend(session, AnalysisId(made.id), text="It is better.", account=curator, seen=0)
        approval = factories.review(session, made, by=curator)
        export = factories.export(session, session.get_one(Collection, within.collection_id))

        _leave(session, export.id, made, approval)

        assert session.scalar(select(func.count()).select_from(ExportLine)) == 1


def _leave(session: Session, export_id: object, made: Analysis, approval: Review) -> None:
    line = ExportLine(
        export_id=export_id,
        number=1,
        item_id=made.item_id,
        analysis_id=made.id,
        revision_id=approval.revision_id,
        revision_sha256=approval.revision_sha256,
        review_id=approval.id,
        sha256=factories.digest("line"),
    )
    session.add(line)
    session.flush()
