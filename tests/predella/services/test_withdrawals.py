import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from predella.errors import ConflictError, InvalidError
from predella.ids import SubmissionId
from predella.models import (
    Analysis,
    AuditEntry,
    Collection,
    Item,
    ItemState,
    ReviewState,
    Stage,
    Standing,
    Submission,
    SubmissionState,
)
from predella.services import (
    items,
    ledger,
    outgoing,
    receiving,
    reports,
    submissions,
    withdrawals,
)
from predella.services.items import Progress
from predella.services.reports import Report
from tests import factories
from tests.predella.services.hand_ins import Museum
from tests.services import Bucket


def _withdraw(session: Session, submission: Submission) -> None:
    withdrawals.withdraw(
        session,
        SubmissionId(submission.id),
        account=factories.account(session),
        reason="the wrong folder",
    )


def _restore(session: Session, submission: Submission) -> None:
    withdrawals.restore(
        session,
        SubmissionId(submission.id),
        account=factories.account(session),
        reason="the right one after all",
    )


def _standing(session: Session, item: Item) -> ReviewState:
    query = select(Standing.state).where(Standing.analysis_id == item.analysis_id)
    return session.scalars(query).one()


def _progress(session: Session, submission: Submission) -> Progress:
    return items.progress(session, SubmissionId(submission.id))


class TestWithdraw:
    def test_stops_what_has_not_begun_and_calls_back_what_has(self, session: Session) -> None:
        leased = factories.item(session, next_attempt_at=func.now())
        submission = session.get_one(Submission, leased.submission_id)
        (held,) = ledger.claim(session, Stage.PREPARE, worker="w", limit=1, lease_seconds=60)
        factories.item(session, submission)

        _withdraw(session, submission)

        assert _progress(session, submission) == Progress(withdrawn=2)
        assert ledger.lock(session, [held]) == set()
        assert not ledger.claim(session, Stage.PREPARE, worker="w", limit=9, lease_seconds=60)

    def test_takes_its_texts_out_of_the_queue_and_the_exports_until_it_is_restored(
        self, session: Session
    ) -> None:
        submission = factories.submission(session)
        collection = session.get_one(Collection, submission.collection_id)
        approved = factories.approved(session, submission)
        open_ = factories.item(session, submission)
        factories.analysis(session, open_)

        _withdraw(session, submission)
        assert {_standing(session, one) for one in (approved, open_)} == {ReviewState.WITHHELD}
        assert list(outgoing.departures(session, collection)) == []
        _restore(session, submission)

        assert _standing(session, approved) is ReviewState.APPROVED
        assert _standing(session, open_) is ReviewState.NEEDS_REVIEW
        assert [one.item_id for one in outgoing.departures(session, collection)] == [approved.id]

    def test_leaves_a_text_to_another_submission_that_shares_it(self, session: Session) -> None:
        approved = factories.approved(session)
        submission = session.get_one(Submission, approved.submission_id)
        collection = session.get_one(Collection, submission.collection_id)
        other = factories.item(
            session,
            factories.submission(session, collection),
            object_number=approved.object_number,
        )
        analysis = session.scalars(select(Standing)).one().analysis_id
        factories.share(session, session.get_one(Analysis, analysis), other)

        _withdraw(session, submission)

        assert _standing(session, approved) is ReviewState.APPROVED
        assert [one.item_id for one in outgoing.departures(session, collection)] == [other.id]

    def test_brings_a_text_back_for_who_comes_to_share_it(self, session: Session) -> None:
        item = factories.item(session)
        submission = session.get_one(Submission, item.submission_id)
        made = factories.analysis(session, item)
        _withdraw(session, submission)
        collection = session.get_one(Collection, submission.collection_id)
        other = factories.item(session, factories.submission(session, collection))

        factories.share(session, made, other)

        assert _standing(session, other) is ReviewState.NEEDS_REVIEW

    def test_is_entered_in_the_audit_log_once_however_often_it_is_clicked(
        self, session: Session
    ) -> None:
        submission = factories.submission(session)

        _withdraw(session, submission)
        _withdraw(session, submission)
        _restore(session, submission)

        entries = session.execute(
            select(AuditEntry.action, AuditEntry.details["reason"].astext)
            .where(AuditEntry.action.like("submission.%"))
            .order_by(AuditEntry.seq)
        ).all()
        assert [tuple(entry) for entry in entries[1:]] == [
            ("submission.withdrawn", "the wrong folder"),
            ("submission.restored", "the right one after all"),
        ]

    def test_needs_a_reason_and_something_to_take_back(self, session: Session) -> None:
        unread = factories.submission(session, state=SubmissionState.RECEIVING)

        with pytest.raises(ConflictError, match="is receiving"):
            _withdraw(session, unread)
        with pytest.raises(InvalidError, match="why"):
            withdrawals.withdraw(
                session,
                SubmissionId(unread.id),
                account=factories.account(session),
                reason=" ",
            )


@pytest.fixture
def museum(session: Session, s3: Bucket) -> Museum:
    return Museum(session, s3)


class TestHandedInAgain:
    def test_is_read_anew_after_a_withdrawal_which_then_cannot_be_undone(
        self, session: Session, museum: Museum
    ) -> None:
        museum.put("a.jpg")
        manifest = "object_number,filename\n1,a.jpg\n"
        first = museum.hand_in(manifest)
        _withdraw(session, session.get_one(Submission, first.submission_id))

        second = museum.hand_in(manifest)

        assert (second.state, second.accepted) == (SubmissionState.RECEIVED, 1)
        with pytest.raises(ConflictError, match="handed in again"):
            _restore(session, session.get_one(Submission, first.submission_id))
        assert _progress(session, session.get_one(Submission, first.submission_id)).withdrawn == 1


class TestPreview:
    def _hand_in(self, museum: Museum, preview: int, *rows: str) -> Report:
        museum.put(*(f"{number}.jpg" for number in range(1, len(rows) + 1)))
        lines = (f"{n},{n}.jpg,{row}\n" for n, row in enumerate(rows, start=1))
        museum.write("manifest.csv", ("object_number,filename,artist\n" + "".join(lines)).encode())
        submission = museum.submission()
        submission.preview = preview
        return receiving.receive(museum.session, submission, museum.store)

    def test_takes_its_share_of_every_artist_and_holds_the_rest(self, museum: Museum) -> None:
        rows = ["Ruysch"] * 6 + ["Leyster"] * 3

        report = self._hand_in(museum, 3, *rows)

        going = [item for item in museum.items(report) if item.state is ItemState.WAITING]
        assert sorted(item.artist or "" for item in going) == ["Leyster", "Ruysch", "Ruysch"]
        assert (report.accepted, report.held) == (9, 6)

    def test_lets_the_rest_follow_when_somebody_has_looked(
        self, session: Session, museum: Museum
    ) -> None:
        report = self._hand_in(museum, 1, "Ruysch", "Leyster")

        count = withdrawals.release(
            session, report.submission_id, account=factories.account(session)
        )

        assert count == 1
        assert items.progress(session, report.submission_id) == Progress(preparing=2)
        assert not session.get_one(Submission, report.submission_id).is_held

    def test_passes_over_a_picture_that_shows_a_closed_object_too(self, museum: Museum) -> None:
        museum.put("both.jpg", "own.jpg")
        rows = ("1,both.jpg,", "2,both.jpg,restricted", "3,own.jpg,")
        lines = "object_number,filename,sensitivity\n" + "\n".join(rows) + "\n"
        museum.write("manifest.csv", lines.encode())
        submission = museum.submission()
        submission.preview = 1

        report = receiving.receive(museum.session, submission, museum.store)

        going = [item for item in museum.items(report) if item.state is ItemState.WAITING]
        assert [item.object_number for item in going] == ["3"]

    def test_larger_than_the_hand_in_holds_nothing(self, museum: Museum) -> None:
        report = self._hand_in(museum, 10, "Ruysch", "Leyster")

        assert report.held == 0
        assert not museum.session.get_one(Submission, report.submission_id).is_held

    def test_held_and_withdrawn_is_held_again_when_restored(
        self, session: Session, museum: Museum
    ) -> None:
        report = self._hand_in(museum, 1, "Ruysch", "Leyster")
        submission = submissions.get(session, report.submission_id)

        _withdraw(session, submission)
        with pytest.raises(ConflictError, match="restore it first"):
            withdrawals.release(session, report.submission_id, account=factories.account(session))
        _restore(session, submission)

        assert _progress(session, submission) == Progress(preparing=1, held=1)
        assert reports.report(session, submission).held == 1

    @pytest.mark.parametrize("number", [0, -1])
    def test_of_nothing_is_refused(self, museum: Museum, number: int) -> None:
        with pytest.raises(InvalidError, match="a preview has"):
            submissions.create(
                museum.session,
                museum.collection,
                account=factories.account(museum.session),
                source=f"s3://{museum.bucket.name}/paintings/",
                preview=number,
            )
