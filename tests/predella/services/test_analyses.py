import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, func, select, text
from sqlalchemy.orm import Session

from predella import ids
from predella.errors import NotFoundError
from predella.ids import AnalysisId, CollectionId, SubmissionId
from predella.models import (
    Account,
    Client,
    Collection,
    Decision,
    RejectionReason,
    Review,
    ReviewState,
    Revision,
    Standing,
)
from predella.services import analyses, reviews
from tests import factories


@pytest.fixture
def curator(session: Session) -> Account:
    return factories.account(session)


@contextmanager
def _counted(session: Session) -> Iterator[list[str]]:
    """Collect the statements that are sent."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        sent.append(statement)

    connection = session.connection()
    event.listen(connection, "before_cursor_execute", note)
    yield sent
    event.remove(connection, "before_cursor_execute", note)


class TestGet:
    def test_shows_the_newest_wording_and_the_newest_decision(
        self, session: Session, curator: Account
    ) -> None:
        id_ = AnalysisId(factories.analysis(session).id)
        wording = reviews.amend(session, id_, text="Better.", account=curator, seen=0)
        decision = reviews.approve(
            session, id_, revision_number=1, account=curator, client=Client.API
        )

        view = analyses.get(session, id_)

        assert (view.revision, view.review) == (wording, decision)
        assert (view.state, view.review_count) == (ReviewState.APPROVED, 1)
        assert view.release.model_name == "Test Model"

    def test_names_the_objects_that_share_it(self, session: Session) -> None:
        within = factories.submission(session)
        first = factories.item(session, within, object_number="SK-1")
        made = factories.analysis(session, first)
        second = factories.item(session, within, object_number="SK-0")
        factories.share(session, made, second)

        view = analyses.get(session, AnalysisId(made.id))

        assert (list(view.items), view.item_count) == ([second, first], 2)

    def test_names_twenty_of_many_and_counts_the_rest(self, session: Session) -> None:
        within = factories.submission(session)
        made = factories.analysis(session, factories.item(session, within))
        factories.share(session, made, *(factories.item(session, within) for _ in range(24)))

        view = analyses.get(session, AnalysisId(made.id))

        assert (len(view.items), view.item_count) == (20, 25)

    @pytest.mark.parametrize("lock", [False, True])
    def test_knows_only_what_exists(self, session: Session, *, lock: bool) -> None:
        with pytest.raises(NotFoundError):
            analyses.get(session, AnalysisId(ids.new()), lock=lock)

    def test_locked_stands_still_for_everybody_else(
        self, session: Session, database_url: str
    ) -> None:
        id_ = AnalysisId(factories.analysis(session).id)
        session.commit()

        analyses.get(session, id_, lock=True)

        free = text("SELECT count(*) FROM (SELECT FROM analysis FOR UPDATE SKIP LOCKED) free")
        assert database_url
        with Session(session.get_bind()) as other:
            assert other.scalar(free) == 0


class TestListed:
    def test_turns_pages_in_the_order_of_writing(self, session: Session) -> None:
        within = factories.submission(session)
        made = [one.id for one in factories.analyses(session, 5, within)]
        of = CollectionId(within.collection_id)

        first = analyses.listed(session, within=None, collection_id=of, limit=3)
        rest = analyses.listed(session, within=None, collection_id=of, after=first[-1].id, limit=3)

        assert [view.id for view in (*first, *rest)] == made

    def test_keeps_to_a_collection_and_a_submission(self, session: Session) -> None:
        one = factories.submission(session)
        other = factories.submission(session, session.get_one(Collection, one.collection_id))
        elsewhere = factories.submission(session)
        made, others, _ = (factories.analyses(session, 2, w) for w in (one, other, elsewhere))

        in_collection = analyses.listed(
            session, within=None, collection_id=CollectionId(one.collection_id)
        )
        in_submission = analyses.listed(session, within=None, submission_id=SubmissionId(other.id))
        in_neither = analyses.listed(
            session,
            within=None,
            collection_id=CollectionId(elsewhere.collection_id),
            submission_id=SubmissionId(one.id),
        )

        assert {view.id for view in in_collection} == {a.id for a in (*made, *others)}
        assert [view.id for view in in_submission] == [a.id for a in others]
        assert in_neither == []

    def test_shows_a_text_that_objects_share_once(self, session: Session) -> None:
        within = factories.submission(session)
        made = factories.analysis(session, factories.item(session, within))
        factories.share(session, made, factories.item(session, within))

        views = analyses.listed(session, within=None, submission_id=SubmissionId(within.id))

        assert [view.id for view in views] == [made.id]

    def test_finds_each_where_its_newest_decision_puts_it(
        self, session: Session, curator: Account
    ) -> None:
        within = factories.submission(session)
        open_, approved, rejected, undone = factories.analyses(session, 4, within)
        for made in (approved, undone):
            factories.review(session, made)
        factories.review(session, rejected, Decision.REJECTED)
        reviews.undo(session, AnalysisId(undone.id), account=curator, client=Client.CLI)

        def found(state: ReviewState | None, **scope: Any) -> list[object]:
            return [view.id for view in analyses.listed(session, within=None, state=state, **scope)]

        for scope in (
            {"submission_id": SubmissionId(within.id)},
            {"collection_id": CollectionId(within.collection_id)},
        ):
            assert found(ReviewState.NEEDS_REVIEW, **scope) == [open_.id, undone.id]
            assert found(ReviewState.APPROVED, **scope) == [approved.id]
            assert found(ReviewState.REJECTED, **scope) == [rejected.id]
            assert len(found(None, **scope)) == 4

    def test_asks_the_same_few_questions_whatever_the_number(self, session: Session) -> None:
        within = factories.submission(session)
        factories.approvals(session, factories.analyses(session, 30, within))
        of = CollectionId(within.collection_id)
        session.flush()

        with _counted(session) as sent:
            views = analyses.listed(session, within=None, collection_id=of, limit=30)
            assert [view.review and view.review.account.name for view in views]

        assert (len(views), len(sent)) == (30, 6)


class TestStanding:
    """What the database keeps says nothing but what the decisions say."""

    def test_follows_every_decision(self, session: Session, curator: Account) -> None:
        made = factories.analyses(session, 3)
        factories.review(session, made[0])
        factories.review(session, made[1], Decision.REJECTED)
        for one in made[:2]:
            reviews.undo(session, AnalysisId(one.id), account=curator, client=Client.CLI)
        factories.review(session, made[0], Decision.REJECTED)

        newest = (
            select(Review.decision)
            .where(Review.analysis_id == Standing.analysis_id)
            .order_by(Review.number.desc())
            .limit(1)
            .scalar_subquery()
        )
        kept = {
            (row.state, row.decision)
            for row in session.execute(select(Standing.state, newest.label("decision")))
        }
        assert {
            (ReviewState.REJECTED, Decision.REJECTED),
            (ReviewState.NEEDS_REVIEW, Decision.REOPENED),
            (ReviewState.NEEDS_REVIEW, None),
        } == kept
        assert session.scalar(select(func.count()).select_from(Standing)) == len(made)

    def test_is_found_by_its_index_however_many_are_decided(self, session: Session) -> None:
        within = factories.submission(session)
        factories.approvals(session, factories.analyses(session, 300, within))
        session.execute(text("SET LOCAL enable_seqscan = off"))

        plan = session.scalars(
            text(
                "EXPLAIN SELECT analysis_id FROM standing"
                " WHERE collection_id = :collection AND state = 'needs_review'"
                " ORDER BY analysis_id LIMIT 50"
            ),
            {"collection": within.collection_id},
        ).all()

        assert "Index" in "".join(plan)
        assert "Sort" not in "".join(plan)


class TestHistory:
    def test_tells_every_step_in_order_with_its_author(
        self, session: Session, curator: Account
    ) -> None:
        id_ = AnalysisId(factories.analysis(session).id)
        reviews.amend(session, id_, text="one", seen=0, account=curator)
        reviews.approve(session, id_, revision_number=1, client=Client.CLI, account=curator)
        reviews.undo(session, id_, client=Client.CLI, account=curator)
        reviews.amend(session, id_, text="two", seen=1, account=curator)
        reviews.reject(
            session,
            id_,
            revision_number=2,
            client=Client.CLI,
            reason=RejectionReason.STYLE,
            account=curator,
        )
        session.expire_all()

        steps = analyses.history(session, id_)

        assert [
            step.number if isinstance(step, Revision) else step.decision.value for step in steps
        ] == [0, 1, "approved", "reopened", 2, "rejected"]
        assert [step.account and step.account.name for step in steps] == [
            None,
            *[curator.name] * 5,
        ]

    def test_knows_only_what_exists(self, session: Session) -> None:
        with pytest.raises(NotFoundError):
            analyses.history(session, AnalysisId(ids.new()))


class TestProvenance:
    def test_tells_all_that_is_stored_as_json(self, session: Session, curator: Account) -> None:
        made = factories.analysis(
            session,
            factories.item(session),
            text="A blue\x0b vase.",
            by=factories.release(session, notice="Only a demonstration."),
            seed=7,
        )
        id_ = AnalysisId(made.id)
        reviews.amend(session, id_, text="A green vase.", account=curator, seen=0)
        reviews.approve(session, id_, revision_number=1, account=curator, client=Client.API)

        told = json.loads(json.dumps(analyses.provenance(analyses.get(session, id_))))

        assert told["notice"] == "Only a demonstration."
        assert told["raw_text"] == "A blue\x0b vase."
        assert told["release"]["prompt_text"] == "Describe the form."
        assert told["release"]["digest"] == made.release.digest.hex()
        assert told["generation"]["seed"] == 7
        assert told["generation"]["mean_logprob"] == -0.5
        assert told["image"]["sha256"] == made.image.sha256.hex()
        assert told["revision"]["written_by"] == curator.display_name
        assert told["review"]["status"] == "approved"
        assert told["review"]["reviewer"] == curator.display_name

    def test_of_an_undecided_text_names_nobody(self, session: Session) -> None:
        id_ = AnalysisId(factories.analysis(session).id)

        told = analyses.provenance(analyses.get(session, id_))

        assert told["review"] == {"status": "needs_review"}
        assert told["revision"]["written_by"] is None
