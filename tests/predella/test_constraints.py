"""What the database itself refuses, whoever asks and through whatever program."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import create_engine, insert, literal, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from predella import clock, ids
from predella.checks import Severity
from predella.ids import AnalysisId
from predella.models import (
    Account,
    Analysis,
    Base,
    Client,
    Collection,
    Decision,
    Dismissal,
    Export,
    ExportLine,
    ExportState,
    Finding,
    Item,
    ItemState,
    RejectionReason,
    Release,
    Remark,
    Review,
    Revision,
    Sensitivity,
    Stage,
    Submission,
    SubmissionState,
)
from predella.services import reviews
from tests import factories
from tests.services import UrlOf, sqlalchemy_url


@contextmanager
def _refused(session: Session, by: str) -> Iterator[None]:
    """Expect that what is added here is refused, by this constraint or in these words."""
    reason = ""
    try:
        with session.begin_nested():
            yield
            session.flush()
    except DBAPIError as error:
        reason = str(error.orig)
    assert re.search(by, reason), reason or "nothing was refused"


def _line(item: Item, review: Review, **fields: Any) -> ExportLine:
    defaults = {
        "number": 1,
        "item_id": item.id,
        "analysis_id": review.analysis_id,
        "revision_id": review.revision_id,
        "revision_sha256": review.revision_sha256,
        "review_id": review.id,
        "sha256": factories.digest("line"),
    }
    return ExportLine(**defaults | fields)


def _dismissal(on: Finding, by: Account, **fields: Any) -> Dismissal:
    defaults = {
        "analysis_id": on.analysis_id,
        "number": 1,
        "finding_id": on.id,
        "fingerprint": on.fingerprint,
        "account_id": by.id,
        "dismissed": True,
        "reason": "a quotation",
        "client": Client.CLI,
    }
    return Dismissal(**defaults | fields)


@pytest.fixture
def analysis(session: Session) -> Analysis:
    return factories.analysis(session)


KEPT = {
    "analysis": "id",
    "revision": "id",
    "review": "id",
    "checkup": "id",
    "finding": "id",
    "dismissal": "id",
    "export_line": "item_id",
    "remark": "id",
    "opening": "revision_id",
}
"""Tables, each with a column of it."""
KEPT_BY_TRIGGERS = {"standing": "analysis_id", "open_finding": "analysis_id"}
CHANGES = ["UPDATE {0} SET {1} = {1}", "DELETE FROM {}", "TRUNCATE {} CASCADE"]


def _one_of_each(session: Session) -> None:
    item = factories.item(session)
    review = factories.review(session, factories.analysis(session, item))
    session.add(_line(item, review, export_id=factories.export(session).id))
    session.add(
        Remark(analysis_id=review.analysis_id, account_id=review.account_id, text="Compare.")
    )
    session.add(
        _dismissal(
            factories.finding(session, factories.analysis(session)), factories.account(session)
        )
    )
    session.flush()


class TestWhatIsKeptForEver:
    @pytest.fixture
    def owner(self, postgres: UrlOf, session: Session) -> Iterator[Session]:
        """Work as the role that owns every table, and leave nothing behind."""
        database = session.connection().engine.url.database
        engine = create_engine(sqlalchemy_url(postgres(database or "")))
        with Session(engine) as own:
            _one_of_each(own)
            yield own
            own.rollback()
        engine.dispose()

    @pytest.mark.parametrize("table", KEPT)
    @pytest.mark.parametrize("change", CHANGES)
    def test_is_kept_from_those_who_own_the_tables(
        self, owner: Session, table: str, change: str
    ) -> None:
        with _refused(owner, "append-only"):
            owner.execute(text(change.format(table, KEPT[table])))

    def test_is_not_removed_with_what_it_hangs_on(self, owner: Session) -> None:
        with _refused(owner, "append-only"):
            owner.execute(text("TRUNCATE collection CASCADE"))

    @pytest.mark.parametrize("table", [*KEPT, *KEPT_BY_TRIGGERS])
    @pytest.mark.parametrize("change", [*CHANGES, "ALTER TABLE {} DISABLE TRIGGER ALL"])
    def test_may_not_even_be_tried_by_the_service(
        self, session: Session, table: str, change: str
    ) -> None:
        column = "text" if table == "analysis" else (KEPT | KEPT_BY_TRIGGERS)[table]

        with _refused(session, "permission denied|must be owner"):
            session.execute(text(change.format(table, column)))

    def test_survives_the_one_right_that_a_row_lock_needs(self, session: Session) -> None:
        _one_of_each(session)

        with _refused(session, "append-only"):
            session.execute(text("UPDATE analysis SET id = id"))


class TestFinding:
    def test_is_of_a_checkup_of_this_analysis(self, session: Session, analysis: Analysis) -> None:
        other = factories.analysis(session)

        with _refused(session, "fk_finding_checkup_id_analysis_id"):
            factories.finding(session, analysis, analysis_id=other.id)

    @pytest.mark.parametrize("span", [(3, 3), (4, 3), (-1, 3), (None, 3)])
    def test_marks_some_words_or_none(
        self, session: Session, analysis: Analysis, span: tuple[int | None, int]
    ) -> None:
        with _refused(session, "ck_finding_span"):
            factories.finding(session, analysis, span_start=span[0], span_end=span[1])

    def test_says_the_same_of_the_whole_text_only_once(
        self, session: Session, analysis: Analysis
    ) -> None:
        whole = {"span_start": None, "span_end": None}
        first = factories.finding(session, analysis, **whole)

        with _refused(session, "uq_finding_checkup_id_check_name_span"):
            session.execute(
                insert(Finding).from_select(
                    [column.name for column in Finding.__table__.columns],
                    select(
                        literal(ids.new()),
                        *(column for column in Finding.__table__.columns if column.name != "id"),
                    ).where(Finding.id == first.id),
                )
            )


class TestDismissal:
    def test_is_of_what_the_finding_is_about(self, session: Session, analysis: Analysis) -> None:
        finding, by = factories.finding(session, analysis), factories.account(session)

        with _refused(session, "fk_dismissal_finding_id_analysis_id_fingerprint"):
            session.add(_dismissal(finding, by, fingerprint=factories.digest("another")))
        with _refused(session, "ck_dismissal_reason"):
            session.add(_dismissal(finding, by, reason=None))


class TestApproval:
    def test_is_refused_while_a_hard_finding_is_open(
        self, session: Session, analysis: Analysis
    ) -> None:
        factories.finding(session, analysis)

        with _refused(session, "open findings forbid the approval: leak"):
            factories.review(session, analysis)
        assert factories.review(session, analysis, Decision.REJECTED).number == 1

    def test_is_refused_in_a_batch_of_others(self, session: Session, analysis: Analysis) -> None:
        factories.finding(session, analysis)

        with _refused(session, "open findings forbid"):
            factories.approvals(session, [factories.analysis(session), analysis])

    @pytest.mark.parametrize("severity", [Severity.SOFT, Severity.INFO])
    def test_does_not_wait_for_what_is_not_hard(
        self, session: Session, analysis: Analysis, severity: Severity
    ) -> None:
        factories.finding(session, analysis, severity=severity)

        assert factories.review(session, analysis).decision is Decision.APPROVED

    def test_does_not_wait_for_what_is_dismissed_until_that_is_withdrawn(
        self, session: Session, analysis: Analysis
    ) -> None:
        finding, by = factories.finding(session, analysis), factories.account(session)
        session.add(_dismissal(finding, by))
        session.flush()
        with session.begin_nested() as tried:
            factories.review(session, analysis)
            tried.rollback()

        session.add(_dismissal(finding, by, number=2, dismissed=False, reason=None))
        session.flush()

        with _refused(session, "open findings forbid"):
            factories.review(session, analysis)

    def test_does_not_wait_for_what_a_newer_checkup_no_longer_finds(
        self, session: Session, analysis: Analysis
    ) -> None:
        factories.finding(session, analysis)
        factories.finding(session, analysis, severity=Severity.SOFT)

        assert factories.review(session, analysis).decision is Decision.APPROVED

    def test_of_an_older_wording_waits_for_what_was_found_in_that_one(
        self, session: Session, analysis: Analysis
    ) -> None:
        old = factories.newest_revision(session, analysis)
        factories.finding(session, analysis)
        by = factories.account(session)
        factories.revision(session, analysis, text="Mended.", account=by)

        with _refused(session, "open findings forbid"):
            session.add(
                Review(
                    analysis_id=analysis.id,
                    number=1,
                    revision_id=old.id,
                    revision_sha256=old.sha256,
                    account_id=by.id,
                    decision=Decision.APPROVED,
                    client=Client.CLI,
                )
            )


class TestAnalysis:
    def test_is_one_for_an_image_a_release_and_a_sample(
        self, session: Session, analysis: Analysis
    ) -> None:
        by = session.get_one(Release, analysis.release_id)
        item = session.get_one(Item, analysis.item_id)

        with _refused(session, "uq_analysis_image_id_release_id_sample"):
            factories.analysis(session, item, by=by)
        assert factories.analysis(session, item, by=by, sample=1).sample == 1

    def test_names_the_very_picture_that_the_model_was_given(self, session: Session) -> None:
        with _refused(session, "model_sha256"):
            factories.analysis(session, model_sha256=b"short")


class TestRevision:
    def test_carries_the_digest_of_its_own_text(self, session: Session, analysis: Analysis) -> None:
        with _refused(session, "ck_revision_sha256"):
            session.add(
                Revision(
                    analysis_id=analysis.id,
                    number=1,
                    text="Other.",
                    sha256=factories.digest(factories.TEXT),
                    account_id=factories.account(session).id,
                )
            )

    @pytest.mark.parametrize("text", ["", "e\u0301", "\U0001f5bc Ω \n"])
    def test_digests_as_we_do(self, session: Session, analysis: Analysis, text: str) -> None:
        made = factories.revision(session, analysis, text=text, account=factories.account(session))

        assert made.sha256 == factories.digest(text)

    def test_after_the_models_own_has_an_author(self, session: Session, analysis: Analysis) -> None:
        with _refused(session, "ck_revision_author"):
            factories.revision(session, analysis, text="Nobody's.")

    def test_has_a_number_of_its_own(self, session: Session, analysis: Analysis) -> None:
        by = factories.account(session)
        made = factories.revision(session, analysis, text="a", account=by)

        with _refused(session, "uq_revision_analysis_id_number"):
            session.add(
                Revision(
                    analysis_id=analysis.id,
                    number=made.number,
                    text="b",
                    sha256=factories.digest("b"),
                    account_id=by.id,
                )
            )

    @pytest.mark.parametrize(
        ("restores", "constraint"),
        [(1, "restores_an_earlier"), (-1, "fk_revision_analysis_id_restores_number")],
    )
    def test_brings_back_only_an_earlier_one(
        self, session: Session, analysis: Analysis, restores: int, constraint: str
    ) -> None:
        with _refused(session, constraint):
            session.add(
                Revision(
                    analysis_id=analysis.id,
                    number=1,
                    text="a",
                    sha256=factories.digest("a"),
                    account_id=factories.account(session).id,
                    restores_number=restores,
                )
            )


class TestReview:
    def test_is_about_one_wording_of_its_own_analysis(
        self, session: Session, analysis: Analysis
    ) -> None:
        elsewhere = factories.newest_revision(session, factories.analysis(session, text="Other."))

        with _refused(session, "fk_review_analysis_id_revision_id_revision_sha256"):
            factories.review(session, analysis, revision_id=elsewhere.id)
        with _refused(session, "fk_review_analysis_id_revision_id_revision_sha256"):
            factories.review(session, analysis, revision_sha256=elsewhere.sha256)

    def test_has_a_number_of_its_own(self, session: Session, analysis: Analysis) -> None:
        factories.review(session, analysis)

        with _refused(session, "uq_review_analysis_id_number"):
            factories.review(session, analysis, number=1)

    @pytest.mark.parametrize(
        ("decision", "reason"),
        [(Decision.REJECTED, None), (Decision.APPROVED, RejectionReason.STYLE)],
    )
    def test_has_a_reason_if_and_only_if_it_rejects(
        self,
        session: Session,
        analysis: Analysis,
        decision: Decision,
        reason: RejectionReason | None,
    ) -> None:
        with _refused(session, "ck_review_reason"):
            factories.review(session, analysis, decision, reason=reason)

    def test_reopens_only_what_it_names_and_that_once(
        self, session: Session, analysis: Analysis
    ) -> None:
        approval = factories.review(session, analysis)

        with _refused(session, "ck_review_undoes"):
            factories.review(session, analysis, Decision.REOPENED)
        factories.review(session, analysis, Decision.REOPENED, undoes_id=approval.id)
        with _refused(session, "uq_review_undoes_id"):
            factories.review(session, analysis, Decision.REOPENED, undoes_id=approval.id)


class TestExportLine:
    @pytest.fixture
    def export(self, session: Session) -> Export:
        return factories.export(session)

    @pytest.fixture
    def item(self, session: Session) -> Item:
        return factories.item(session)

    @pytest.fixture
    def approval(self, session: Session, item: Item) -> Review:
        return factories.review(session, factories.analysis(session, item))

    def test_is_taken_when_its_wording_was_approved(
        self, session: Session, export: Export, item: Item, approval: Review
    ) -> None:
        session.add(_line(item, approval, export_id=export.id))
        session.flush()

    @pytest.mark.parametrize("claimed", [Decision.APPROVED, Decision.REJECTED])
    def test_needs_an_approval(
        self, session: Session, export: Export, item: Item, claimed: Decision
    ) -> None:
        rejection = factories.review(session, factories.analysis(session, item), Decision.REJECTED)

        with _refused(session, "fk_export_line_review_id|ck_export_line_accepted"):
            session.add(_line(item, rejection, export_id=export.id, decision=claimed))

    def test_needs_the_very_wording_that_was_approved(
        self, session: Session, export: Export, item: Item, approval: Review
    ) -> None:
        analysis = session.get_one(Analysis, approval.analysis_id)
        other = factories.revision(
            session, analysis, text="Never approved.", account=factories.account(session)
        )

        for fields in (
            {"revision_id": other.id},
            {"revision_sha256": other.sha256},
            {"revision_id": other.id, "revision_sha256": other.sha256},
        ):
            with _refused(session, "fk_export_line_review_id"):
                session.add(_line(item, approval, export_id=export.id, **fields))

    def test_needs_an_approval_that_still_stands(
        self, session: Session, export: Export, item: Item, approval: Review
    ) -> None:
        reviews.undo(
            session,
            AnalysisId(approval.analysis_id),
            account=factories.account(session),
            client=Client.API,
        )

        with _refused(session, "the approval was undone"):
            session.add(_line(item, approval, export_id=export.id))

    @pytest.mark.parametrize(
        "gate",
        [
            {"sensitivity": Sensitivity.REVIEW},
            {"exportable": False},
            {"embargo_until": clock.now().date() + timedelta(days=2)},
            {"rights_work": None},
        ],
        ids=lambda gate: next(iter(gate)),
    )
    def test_needs_an_object_that_may_leave(
        self, session: Session, export: Export, gate: dict[str, Any]
    ) -> None:
        item = factories.item(session, **gate)
        approval = factories.review(session, factories.analysis(session, item))

        with _refused(session, "may not leave"):
            session.add(_line(item, approval, export_id=export.id))

    def test_needs_an_object_that_the_text_is_about(
        self, session: Session, export: Export, approval: Review
    ) -> None:
        stranger = factories.approved(session)

        with _refused(session, "may not leave"):
            session.add(_line(stranger, approval, export_id=export.id))

    def test_is_not_written_from_an_old_snapshot(
        self, session: Session, database_url: str, export: Export, item: Item, approval: Review
    ) -> None:
        line = _line(item, approval, export_id=export.id)
        session.commit()
        engine = create_engine(database_url, isolation_level="REPEATABLE READ")

        with Session(engine) as other, _refused(other, "READ COMMITTED"):
            other.add(line)
        engine.dispose()

    def test_makes_an_undo_wait_until_it_is_kept(
        self, session: Session, database_url: str, export: Export, item: Item, approval: Review
    ) -> None:
        line = _line(item, approval, export_id=export.id)
        account_id, analysis_id = factories.account(session).id, AnalysisId(approval.analysis_id)
        session.commit()
        engine = create_engine(database_url)
        undone = threading.Event()

        def undo() -> None:
            with Session(engine) as other, other.begin():
                account = other.get_one(Account, account_id)
                reviews.undo(other, analysis_id, account=account, client=Client.API)
            undone.set()

        session.add(line)
        session.flush()
        thread = threading.Thread(target=undo)
        thread.start()
        assert not undone.wait(0.3)
        session.commit()
        thread.join()
        engine.dispose()

        assert undone.is_set()


class TestItem:
    @pytest.mark.parametrize(
        ("fields", "constraint"),
        [
            ({"state": ItemState.DONE}, "done_means_analyzed"),
            ({"stage": Stage.ANALYZE}, "prepared_before_analyzed"),
            ({"state": ItemState.LEASED}, "ck_item_lease"),
            ({"lease_token": ids.new()}, "ck_item_lease"),
            ({"state": ItemState.FAILED}, "ck_item_error"),
            ({"error_code": "undecodable"}, "ck_item_error"),
        ],
    )
    def test_cannot_contradict_itself(
        self, session: Session, fields: dict[str, Any], constraint: str
    ) -> None:
        within = factories.submission(session)

        with _refused(session, constraint):
            factories.item(session, within, **fields)

    @pytest.mark.parametrize(
        "fields", [{"sensitivity": Sensitivity.RESTRICTED}, {"ai_processing": False}]
    )
    @pytest.mark.parametrize("state", [ItemState.WAITING, ItemState.DONE])
    def test_of_a_closed_object_is_withheld_whatever_is_written(
        self, session: Session, fields: dict[str, Any], state: ItemState
    ) -> None:
        item = factories.item(session, **fields)

        item.state = state
        session.flush()
        session.refresh(item)

        assert item.state is ItemState.WITHHELD

    def test_mirrors_what_the_gate_of_its_object_says(self, session: Session) -> None:
        item = factories.item(session)

        with _refused(session, "fk_item_collection_id_object_number_is_open"):
            item.is_open = False
        session.expire(item)

    def test_shows_no_picture_of_another_collection(self, session: Session) -> None:
        item, image = factories.item(session), factories.image(session)

        with _refused(session, "fk_item_image_id_collection_id"):
            item.image_id, item.sha256 = image.id, image.sha256
        session.expire(item)

    def test_tells_the_sha256_of_the_picture_that_it_shows(self, session: Session) -> None:
        item = factories.item(session)
        within = session.get_one(Collection, item.collection_id)

        with _refused(session, "ck_item_read_before_prepared"):
            item.image_id = factories.image(session, within).id
        session.expire(item)

    def test_does_not_wait_beside_a_closed_object(self, session: Session) -> None:
        item = factories.item(session)

        item.is_beside_closed = True
        session.flush()

        session.refresh(item)
        assert item.state is ItemState.WITHHELD

    def test_has_no_text_about_another_picture(self, session: Session, analysis: Analysis) -> None:
        within = session.get_one(Item, analysis.item_id)
        collection = session.get_one(Collection, within.collection_id)
        item = factories.item(session, factories.submission(session, collection))
        image = factories.image(session, collection)

        with _refused(session, "fk_item_analysis_id_image_id"):
            item.image_id, item.sha256, item.analysis_id = image.id, image.sha256, analysis.id
        session.expire(item)

    def test_is_handed_in_once_in_a_submission(self, session: Session) -> None:
        first = factories.item(session)
        within = session.get_one(Submission, first.submission_id)

        with _refused(session, "uq_item_submission_id_object_number_key"):
            factories.item(session, within, object_number=first.object_number, key=first.key)


class TestImage:
    def test_is_one_in_its_collection(self, session: Session) -> None:
        first = factories.image(session)
        within = session.get_one(Collection, first.collection_id)

        with _refused(session, "uq_image_collection_id_sha256"):
            factories.image(session, within, sha256=first.sha256)
        assert factories.image(session, sha256=first.sha256)


class TestExport:
    @pytest.mark.parametrize(
        ("fields", "constraint"),
        [
            ({"state": ExportState.WRITTEN}, "ck_export_sha256"),
            ({"state": ExportState.FAILED}, "ck_export_error"),
            ({"lease_token": ids.new()}, "ck_export_lease"),
            (
                {
                    "state": ExportState.FAILED,
                    "error": "x",
                    "lease_token": ids.new(),
                    "lease_until": clock.now(),
                },
                "leased_while_writing",
            ),
        ],
    )
    def test_cannot_contradict_itself(
        self, session: Session, fields: dict[str, Any], constraint: str
    ) -> None:
        of = factories.collection(session)

        with _refused(session, constraint):
            factories.export(session, of, **fields)

    def test_shares_its_destination_only_with_one_that_failed(self, session: Session) -> None:
        first = factories.export(session)

        with _refused(session, "uq_export_destination"):
            factories.export(session, destination=first.destination)
        session.execute(update(Export).values(state=ExportState.FAILED, error="x"))
        assert factories.export(session, destination=first.destination)


class TestSubmission:
    def test_of_the_same_bytes_is_received_once(self, session: Session) -> None:
        first = factories.submission(session, digest=factories.digest("all"))
        of = session.get_one(Collection, first.collection_id)

        with _refused(session, "uq_submission_collection_id_digest"):
            factories.submission(session, of, digest=first.digest)

    @pytest.mark.parametrize(
        ("fields", "constraint"),
        [
            ({"state": SubmissionState.REFUSED}, "ck_submission_refusal"),
            ({"state": SubmissionState.UNCHANGED}, "ck_submission_same_as"),
            ({"lease_token": ids.new()}, "ck_submission_lease"),
        ],
    )
    def test_cannot_contradict_itself(
        self, session: Session, fields: dict[str, Any], constraint: str
    ) -> None:
        of = factories.collection(session)

        with _refused(session, constraint):
            factories.submission(session, of, **fields)


class TestNames:
    @pytest.mark.parametrize("slug", ["", "Upper", "-first", "with space", "ä", "x" * 64])
    def test_a_slug_can_stand_in_an_address(self, session: Session, slug: str) -> None:
        with _refused(session, "ck_collection_slug"):
            factories.collection(session, slug=slug)

    def test_a_prefix_is_a_folder(self, session: Session) -> None:
        with _refused(session, "prefix_ends_with_slash"):
            factories.collection(session, prefix="paintings")

    @pytest.mark.parametrize("name", ["", "Ines", "a b", "é"])
    def test_an_account_name_can_be_typed(self, session: Session, name: str) -> None:
        with _refused(session, "ck_account_name"):
            session.add(Account(name=name, display_name="x", roles=[]))

    def test_a_role_is_one_of_ours(self, session: Session) -> None:
        with _refused(session, "known_roles"):
            session.add(Account(name="x", display_name="x", roles=["owner"]))


class TestEveryTable:
    def test_has_its_rows_named_by_a_constraint(self) -> None:
        """An unnamed constraint cannot be dropped by a later migration."""
        unnamed = [
            f"{table.name}: {constraint}"
            for table in Base.metadata.tables.values()
            for constraint in table.constraints
            if not constraint.name
        ]

        assert unnamed == []


class TestSecondApprover:
    @pytest.fixture
    def analysis(self, session: Session) -> Analysis:
        of = factories.collection(session, review_rules={"second_approver": True})
        return factories.analysis(
            session, factories.item(session, factories.submission(session, of))
        )

    def test_who_wrote_the_newest_wording_cannot_approve_it(
        self, session: Session, analysis: Analysis
    ) -> None:
        author = factories.account(session)
        factories.revision(session, analysis, text="A vase.", account=author)

        with _refused(session, f"a second person has to approve analysis {analysis.id}"):
            factories.review(session, analysis, by=author)
        factories.review(session, analysis)

    def test_nor_can_who_wrote_what_somebody_else_brought_back(
        self, session: Session, analysis: Analysis
    ) -> None:
        author, restorer = factories.account(session), factories.account(session)
        for text_, by in (("A vase.", author), ("A jug.", author)):
            factories.revision(session, analysis, text=text_, account=by)
        reviews.undo(session, AnalysisId(analysis.id), account=restorer, client=Client.CLI)

        for one in (author, restorer):
            with _refused(session, "a second person"):
                factories.review(session, analysis, by=one)
        factories.review(session, analysis)

    def test_the_models_own_wording_anybody_may_approve(
        self, session: Session, analysis: Analysis
    ) -> None:
        factories.review(session, analysis)

    def test_who_wrote_it_may_reject_it(self, session: Session, analysis: Analysis) -> None:
        author = factories.account(session)
        factories.revision(session, analysis, text="A vase.", account=author)

        factories.review(session, analysis, Decision.REJECTED, by=author)


class TestSecondOpinion:
    def test_is_asked_of_somebody_only_where_it_is_asked_for(
        self, session: Session, analysis: Analysis
    ) -> None:
        asked = factories.account(session).id

        with _refused(session, "ck_review_asked"):
            factories.review(session, analysis, Decision.REJECTED, asked_id=asked)
        factories.review(session, analysis, Decision.NEEDS_SECOND, asked_id=asked)

    @pytest.mark.parametrize("seconds", [-0.1, 86_401])
    def test_nobody_reads_for_less_than_no_time_or_more_than_a_day(
        self, session: Session, analysis: Analysis, seconds: float
    ) -> None:
        with _refused(session, "ck_review_seconds_seen"):
            factories.review(session, analysis, seconds_seen=seconds)
