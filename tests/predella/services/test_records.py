"""What harvesters are told of, as decisions, gates and rules come and go."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from predella import db
from predella.formats.oai import Listing
from predella.ids import AnalysisId, CollectionId
from predella.models import (
    Analysis,
    CatalogRecord,
    Client,
    Collection,
    Decision,
    Sensitivity,
    Submission,
)
from predella.services import collections, gates, records, reviews, rules
from predella.services.gates import Change
from predella.services.records import Told
from tests import factories

NOW = timedelta(0)
ALL = Listing(prefix="oai_dc")


@pytest.fixture
def submission(session: Session) -> Submission:
    of = factories.collection(session, slug="open", review_rules={"open_to_harvesters": True})
    return factories.submission(session, of)


def told(session: Session, wanted: Listing = ALL, *, limit: int = 100) -> list[Told]:
    session.flush()
    session.expire_all()
    records.refresh(session, older_than=NOW)
    return list(records.listed(session, wanted, limit=limit))


def states(session: Session) -> dict[str, str | None]:
    """The text of each record by the number of its object; None where it is deleted."""
    return {
        one.record.object_number: one.bundle.entries[0].wording.text if one.bundle else None
        for one in told(session)
    }


def close(session: Session, within: Submission, number: str, **change: object) -> None:
    to = Change(**change or {"sensitivity": Sensitivity.RESTRICTED})  # type: ignore[arg-type]
    id_ = CollectionId(within.collection_id)
    by = factories.account(session)
    gates.change(session, id_, number, to, account=by, reason="It was asked for.")


class TestRefresh:
    def test_takes_what_is_approved_in_collections_that_are_open_to_harvesters(
        self, session: Session, submission: Submission
    ) -> None:
        factories.approved(session, submission, object_number="A")
        factories.analysis(session, factories.item(session, submission, object_number="B"))
        factories.approved(session, object_number="C")

        assert states(session) == {"A": factories.TEXT}
        assert [one.slug for one in records.sets(session)] == ["open"]

    @pytest.mark.parametrize(
        "fact", ["institution", "institution_uri", "credit_line", "text_rights", "concept_uri"]
    )
    def test_a_record_changes_with_what_its_collection_says_of_itself(
        self, session: Session, submission: Submission, fact: str
    ) -> None:
        factories.approved(session, submission)
        (before,) = (one.record.changed_at for one in told(session))
        (again,) = (one.record.changed_at for one in told(session))
        collection = session.get_one(Collection, submission.collection_id)

        collections.change(
            session, collection, {fact: "http://creativecommons.org/licenses/by/4.0/"}
        )

        (after,) = (one.record.changed_at for one in told(session))
        assert before == again < after

    def test_tells_of_an_object_with_all_its_texts_and_names_them_as_entries_do(
        self, session: Session, submission: Submission
    ) -> None:
        number = "A/1 é"
        for prompt in ("formal-analysis/1", "colour/1"):
            asked = factories.item(session, submission, object_number=number)
            by = factories.release(session, prompt_id=prompt)
            factories.review(session, factories.analysis(session, asked, by=by))

        (found,) = told(session)

        assert found.object_id == f"open/{number}"
        assert found.bundle is not None
        assert [entry.record_id for entry in found.bundle.entries] == [
            f"open/{number}/formal-analysis/en",
            f"open/{number}/element-colour/en",
        ]
        assert records.find(session, found.object_id) == found
        assert set(session.scalars(select(CatalogRecord.name))) == {
            "formal-analysis/en",
            "element-colour/en",
        }

    def test_changes_nothing_where_nothing_changed(
        self, session: Session, submission: Submission
    ) -> None:
        factories.approved(session, submission)
        (before,) = told(session)
        moment = before.record.changed_at

        (after,) = told(session)

        assert after.record.changed_at == moment

    def test_does_not_compare_again_within_seconds(
        self, session: Session, submission: Submission
    ) -> None:
        factories.approved(session, submission, object_number="A")
        told(session)
        factories.approved(session, submission, object_number="B")

        records.refresh(session)

        assert len(records.listed(session, ALL, limit=9)) == 1

    def test_a_new_wording_comes_under_the_same_name_and_a_later_moment(
        self, session: Session, submission: Submission
    ) -> None:
        made = factories.analysis(session, factories.item(session, submission))
        factories.review(session, made)
        (before,) = told(session)
        moment, number = before.record.changed_at, before.record.id
        by = factories.account(session)
        factories.review(session, made, Decision.REOPENED, undoes_id=before.record.review_id)
        factories.revision(session, made, text="A green vase.", account=by)
        factories.review(session, made)

        (after,) = told(session)

        assert after.bundle is not None
        assert after.bundle.entries[0].wording.text == "A green vase."
        assert after.record.id == number
        assert after.record.changed_at > moment

    def test_an_approval_that_is_undone_leaves_a_deletion_and_may_come_back(
        self, session: Session, submission: Submission
    ) -> None:
        made = factories.analysis(session, factories.item(session, submission, object_number="A"))
        first = factories.review(session, made)
        assert states(session) == {"A": factories.TEXT}
        factories.review(session, made, Decision.REOPENED, undoes_id=first.id)

        gone = states(session)
        again = factories.review(session, made)
        back = told(session)[0]

        assert gone == {"A": None}
        assert back.bundle is not None
        assert (back.record.review_id, back.record.withdrawn_at) == (again.id, None)

    @pytest.mark.parametrize(
        "change",
        [
            {"sensitivity": Sensitivity.RESTRICTED},
            {"sensitivity": Sensitivity.REVIEW},
            {"ai_processing": False},
            {"exportable": False},
            {"clear": ("rights_work",)},
        ],
    )
    def test_every_gate_that_closes_leaves_a_deletion(
        self, session: Session, submission: Submission, change: dict[str, object]
    ) -> None:
        for number in "AB":
            factories.approved(session, submission, object_number=number)
        told(session)

        close(session, submission, "A", **change)

        assert states(session) == {"B": factories.TEXT, "A": None}

    def test_other_rights_are_a_change(self, session: Session, submission: Submission) -> None:
        factories.approved(session, submission, object_number="A")
        moment = told(session)[0].record.changed_at
        rights = "http://rightsstatements.org/vocab/InC/1.0/"

        close(session, submission, "A", rights_work=rights)
        (after,) = told(session)

        assert after.record.changed_at > moment
        assert after.bundle is not None
        assert after.bundle.about.object.rights_work == rights

    def test_a_collection_that_is_closed_again_has_deletions_alone(
        self, session: Session, submission: Submission
    ) -> None:
        factories.approved(session, submission, object_number="A")
        told(session)
        collection = session.get_one(Collection, submission.collection_id)
        rules.choose(session, collection, {})

        assert states(session) == {"A": None}
        assert told(session)[0].record.withdrawn_at is not None
        assert [one.slug for one in records.sets(session)] == ["open"]


class TestObjects:
    @pytest.fixture
    def both(self, session: Session, submission: Submission) -> list[Analysis]:
        """The formal analysis and the alternative text of one object, both told of."""
        texts = [
            _text(session, submission, prompt) for prompt in ("formal-analysis/1", "alt-text/1")
        ]
        told(session)
        return texts

    def test_are_listed_once_under_the_moment_of_their_last_change(
        self, session: Session, submission: Submission, both: list[Analysis]
    ) -> None:
        factories.approved(session, submission, object_number="B")
        told(session)
        _undo(session, both[0])

        listed = told(session)

        assert [one.record.object_number for one in listed] == ["B", "A"]
        assert _texts(listed[1]) == ["alt-text/1"]
        assert records.count(session, ALL) == 2
        assert listed[1].record.withdrawn_at is not None

    def test_are_deleted_when_no_text_is_left_and_come_back_with_the_first(
        self, session: Session, both: list[Analysis]
    ) -> None:
        for made in both:
            _undo(session, made)
        (gone,) = told(session)
        factories.review(session, both[1])

        (back,) = told(session)

        assert gone.bundle is None
        assert _texts(back) == ["alt-text/1"]
        assert back.record.changed_at > gone.record.changed_at

    def test_are_not_listed_by_a_change_that_another_has_followed(
        self, session: Session, both: list[Analysis]
    ) -> None:
        before = told(session)[0].record.changed_at
        _undo(session, both[0])
        told(session)

        assert told(session, Listing(prefix="oai_dc", until=before)) == []
        assert len(told(session, Listing(prefix="oai_dc", since=before))) == 1

    def test_have_a_text_for_each_language(self, session: Session, submission: Submission) -> None:
        _text(session, submission, "formal-analysis/1")
        _text(session, submission, "formal-analysis/1", language="nl")

        (found,) = told(session)

        assert found.bundle is not None
        assert [entry.language for entry in found.bundle.entries] == ["en", "nl"]

    def test_tell_of_themselves_by_the_newest_row_of_a_manifest(
        self, session: Session, submission: Submission
    ) -> None:
        _text(session, submission, "formal-analysis/1", title="Old")
        _text(session, submission, "alt-text/1", title="New")

        (found,) = told(session)

        assert found.bundle is not None
        assert found.bundle.about.object.title == "New"

    @pytest.mark.parametrize("wanted", [ALL, Listing(prefix="oai_dc", set="open")])
    def test_a_page_can_be_read_without_sorting_the_whole_list(
        self, session: Session, submission: Submission, wanted: Listing
    ) -> None:
        factories.approvals(session, factories.analyses(session, 300, submission))
        told(session, limit=1)
        # In a list as short as this one, reading and sorting all of it would be as quick.
        session.execute(text("SET LOCAL enable_sort = off"))
        session.execute(text("ANALYZE catalog_record"))
        place = CatalogRecord.changed_at, CatalogRecord.id
        page = records._wanted(wanted).order_by(*place).limit(51)
        query = page.compile(session.connection(), compile_kwargs={"literal_binds": True})

        plan = "\n".join(session.scalars(text(f"EXPLAIN {query}")))

        assert "Index Scan using ix_catalog_record_changed" in plan
        assert "Sort" not in plan


def _text(session: Session, within: Submission, prompt_id: str, **fields: Any) -> Analysis:
    """Return an approved text of object A, which says by what it was asked for."""
    item = factories.item(session, within, object_number="A", **fields)
    by = factories.release(session, prompt_id=prompt_id)
    made = factories.analysis(session, item, by=by, text=prompt_id)
    factories.review(session, made)
    return made


def _undo(session: Session, made: Analysis) -> None:
    by = factories.account(session)
    reviews.undo(session, AnalysisId(made.id), account=by, client=Client.CLI)


def _texts(told_of: Told) -> list[str]:
    assert told_of.bundle is not None
    return [entry.wording.text for entry in told_of.bundle.entries]


class TestListed:
    def test_what_is_closed_at_this_moment_is_deleted_whatever_was_noted(
        self, session: Session, submission: Submission
    ) -> None:
        factories.approved(session, submission, object_number="A")
        told(session)

        close(session, submission, "A")
        (found,) = records.listed(session, ALL, limit=9)

        assert found.record.withdrawn_at is None
        assert found.bundle is None

    def test_loses_nothing_that_changes_between_pages(
        self, session: Session, submission: Submission
    ) -> None:
        for number in "ABCD":
            factories.approved(session, submission, object_number=number)
        first = told(session, limit=2)
        last = first[-1].record
        rest = Listing(prefix="oai_dc", after=(last.changed_at, last.id))
        close(session, submission, first[0].record.object_number)

        second = told(session, rest)

        assert [(one.record.object_number, one.bundle is None) for one in second] == [
            ("C", False),
            ("D", False),
            ("A", True),
        ]

    def test_keeps_to_a_set_and_to_a_span_of_time(
        self, session: Session, submission: Submission
    ) -> None:
        factories.approved(session, submission, object_number="A")
        other = factories.collection(
            session, slug="other", review_rules={"open_to_harvesters": True}
        )
        factories.approved(session, factories.submission(session, other), object_number="B")
        moment = told(session)[0].record.changed_at

        of_set = told(session, Listing(prefix="oai_dc", set="other"))
        before = told(session, Listing(prefix="oai_dc", until=moment - timedelta(seconds=1)))
        after = told(session, Listing(prefix="oai_dc", since=moment))

        assert [one.record.object_number for one in of_set] == ["B"]
        assert before == []
        assert len(after) == 2
        assert records.count(session, Listing(prefix="oai_dc", set="other")) == 1


class TestHold:
    @pytest.mark.usefixtures("settings")
    def test_a_change_never_has_a_moment_before_an_answer_that_lacks_it(
        self, session: Session
    ) -> None:
        of = factories.collection(session, review_rules={"open_to_harvesters": True})
        within = factories.submission(session, of)
        factories.approved(session, within)
        session.commit()
        compared = threading.Event()

        def compare() -> None:
            with db.transaction() as own:
                records.refresh(own, older_than=NOW)
            compared.set()

        with db.transaction() as asking:
            answered_at = records.hold(asking)
            seen = len(records.listed(asking, ALL, limit=9))
            with db.transaction() as own:
                factories.approved(own, own.get_one(Submission, within.id))
            other = threading.Thread(target=compare)
            other.start()
            assert not compared.wait(0.3)
        other.join()

        with db.transaction() as asking:
            moments = asking.scalars(select(CatalogRecord.changed_at)).all()
        assert (seen, len(moments)) == (1, 2)
        assert max(moments) > answered_at


class TestCatalogRecord:
    def test_the_database_takes_no_wording_that_was_not_approved(
        self, session: Session, submission: Submission
    ) -> None:
        factories.approved(session, submission)
        told(session)

        with pytest.raises(IntegrityError):
            session.execute(update(CatalogRecord).values(revision_sha256=b"\0" * 32))
