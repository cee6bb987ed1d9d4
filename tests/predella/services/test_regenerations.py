import threading
from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from predella import db, ids
from predella.checks import CheckName
from predella.errors import (
    AlreadyDecidedError,
    InvalidError,
    NotFoundError,
    NotOpenedError,
    NotShownError,
    ReplacedError,
    StaleRevisionError,
    TooManySamplesError,
)
from predella.ids import AnalysisId, LeaseToken, ReleaseId, SubmissionId
from predella.models import (
    Account,
    Analysis,
    Attempt,
    Client,
    Collection,
    Decision,
    FinishReason,
    Item,
    ItemState,
    Outcome,
    Regeneration,
    RegenerationState,
    RejectionReason,
    Review,
    ReviewState,
    Stage,
    Submission,
)
from predella.services import (
    analyses,
    checkups,
    drafts,
    items,
    ledger,
    outgoing,
    regenerations,
    reviews,
)
from predella.services.drafts import Draft
from predella.services.ledger import Claimed
from predella.settings import Settings
from tests import factories


@pytest.fixture
def curator(session: Session) -> Account:
    return factories.account(session)


@pytest.fixture
def old(session: Session) -> Analysis:
    """A text that two objects share, and that needs review."""
    made = factories.analysis(session, text="A blue vase.")
    first = session.get_one(Item, made.item_id)
    twin = factories.item(session, session.get_one(Submission, first.submission_id))
    factories.share(session, made, twin)
    return made


def ask(
    session: Session, of: Analysis, by: Account, seen: int = 0, without: Sequence[CheckName] = ()
) -> Review:
    return regenerations.ask(
        session,
        AnalysisId(of.id),
        revision_number=seen,
        account=by,
        client=Client.CLI,
        reason=RejectionReason.COLOUR,
        note="The vase is red.",
        without=without,
    )


def undo(session: Session, of: Analysis, by: Account) -> None:
    reviews.undo(session, AnalysisId(of.id), account=by, client=Client.CLI)


def claim(session: Session) -> list[Claimed]:
    return ledger.claim(session, Stage.ANALYZE, worker="test", limit=10, lease_seconds=60)


def draft(item: Claimed, text: str) -> Draft:
    return Draft(
        item=item,
        text=text,
        rendered_prompt="USER: <image> ASSISTANT:",
        model_sha256=factories.digest("model-ready"),
        finish_reason=FinishReason.STOP,
        prompt_tokens=600,
        output_tokens=20,
        mean_logprob=-0.5,
        min_window_logprob=-1.25,
        seed=17,
        batch_size=1,
        device="cpu",
        worker="test",
        timings={},
    )


def write(session: Session, text: str = "A red vase.", by: ReleaseId | None = None) -> Analysis:
    """Do what a worker does with the one item that waits."""
    (item,) = claim(session)
    by = by or ReleaseId(factories.release(session).id)
    assert drafts.record(session, [draft(item, text)], release_id=by) == {item.id}
    session.expire_all()
    written = session.get_one(Item, item.id).analysis_id
    return session.get_one(Analysis, written)


def hand_in(session: Session, of: Analysis) -> None:
    """Hand in the same image once more, prepared already."""
    within = session.get_one(Submission, session.get_one(Item, of.item_id).submission_id)
    factories.item(
        session,
        within,
        stage=Stage.ANALYZE,
        image_id=of.image_id,
        next_attempt_at=func.now(),
    )


def shared(session: Session, of: Analysis) -> int:
    return analyses.get(session, AnalysisId(of.id)).item_count


def state(session: Session, of: Analysis) -> ReviewState:
    return analyses.get(session, AnalysisId(of.id)).state


def wishes(session: Session, of: Analysis) -> list[RegenerationState]:
    return [one.state for one in regenerations.of(session, AnalysisId(of.id))]


class TestAsk:
    def test_gives_the_text_up_with_a_reason_and_sends_one_item_back(
        self, session: Session, old: Analysis, curator: Account
    ) -> None:
        review = ask(session, old, curator)

        assert (review.decision, review.reason) == (Decision.SUPERSEDED, RejectionReason.COLOUR)
        assert review.note == "The vase is red."
        assert state(session, old) is ReviewState.SUPERSEDED
        waiting = session.scalars(select(Item).where(Item.state == ItemState.WAITING)).all()
        assert [(one.id, one.stage, one.image_id) for one in waiting] == [
            (old.item_id, Stage.ANALYZE, old.image_id)
        ]

    def test_leaves_the_submission_as_far_as_it_had_come(
        self, session: Session, old: Analysis, curator: Account
    ) -> None:
        within = SubmissionId(session.get_one(Item, old.item_id).submission_id)
        before = items.progress(session, within)

        ask(session, old, curator)
        asked = items.progress(session, within)
        write(session)

        assert before == asked == items.progress(session, within)
        assert (before.analyzed, before.running) == (2, 0)

    def test_answers_a_second_click_with_the_first(
        self, session: Session, old: Analysis, curator: Account
    ) -> None:
        first = ask(session, old, curator)

        assert ask(session, old, factories.account(session)) is first
        write(session)
        assert ask(session, old, curator) is first
        assert len(wishes(session, old)) == 1

    @pytest.mark.parametrize("decision", [Decision.APPROVED, Decision.REJECTED])
    def test_refuses_what_is_decided(
        self, session: Session, old: Analysis, curator: Account, decision: Decision
    ) -> None:
        factories.review(session, old, decision)

        with pytest.raises(AlreadyDecidedError):
            ask(session, old, curator)

    def test_refuses_a_wording_that_was_replaced_while_on_screen(
        self, session: Session, old: Analysis, curator: Account
    ) -> None:
        factories.revision(session, old, text="A red vase.", account=curator)

        with pytest.raises(StaleRevisionError):
            ask(session, old, curator)

    def test_refuses_what_does_not_exist(self, session: Session, curator: Account) -> None:
        with pytest.raises(NotFoundError):
            ask(session, Analysis(id=ids.new()), curator)

    def test_refuses_a_text_that_no_finished_object_has(
        self, session: Session, old: Analysis, curator: Account
    ) -> None:
        for item in session.scalars(select(Item).filter_by(analysis_id=old.id)):
            item.state, item.error_code = ItemState.FAILED, "source_changed"
        session.flush()

        with pytest.raises(NotShownError):
            ask(session, old, curator)

    def test_allows_five_new_texts_for_an_image(
        self, session: Session, old: Analysis, curator: Account
    ) -> None:
        newest = old
        for number in range(1, 6):
            ask(session, newest, curator)
            newest = write(session, f"A red vase, {number}.")
            assert newest.sample == number

        with pytest.raises(TooManySamplesError, match="5 new texts"):
            ask(session, newest, curator)

    def test_asks_once_whoever_clicks_at_the_same_time(
        self,
        session: Session,
        settings: Settings,  # noqa: ARG002  (a database of its own)
    ) -> None:
        with db.transaction() as own:
            made = factories.analysis(own)
            accounts = [factories.account(own) for _ in range(6)]
            id_, by = AnalysisId(made.id), [one.id for one in accounts]
        found: list[object] = []
        together = threading.Barrier(len(by))

        def click(account_id: object) -> None:
            together.wait()
            with db.transaction() as own:
                account = own.get_one(Account, account_id)
                found.append(ask(own, own.get_one(Analysis, id_), account).id)

        threads = [threading.Thread(target=click, args=(one,)) for one in by]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(found) == len(by)
        assert len(set(found)) == 1
        assert session.scalar(select(func.count()).select_from(Regeneration)) == 1


class TestArrival:
    def test_puts_the_new_text_in_the_place_of_the_old_for_every_object(
        self, session: Session, old: Analysis, curator: Account
    ) -> None:
        review = ask(session, old, curator)

        new = write(session)

        assert (new.sample, new.seed, new.image_id) == (1, 17, old.image_id)
        assert state(session, new) is ReviewState.NEEDS_REVIEW
        assert (shared(session, new), shared(session, old)) == (2, 0)
        (wish,) = regenerations.of(session, AnalysisId(new.id))
        assert (wish.analysis_id, wish.replaced_by_id) == (old.id, new.id)
        assert wish.review is review
        assert wishes(session, old) == [RegenerationState.WRITTEN]

    def test_lets_the_new_text_leave_once_it_is_approved(
        self, session: Session, old: Analysis, curator: Account
    ) -> None:
        collection = analyses.get(session, AnalysisId(old.id)).image.collection_id
        ask(session, old, curator)
        new = write(session)
        factories.review(session, new)

        left = list(outgoing.departures(session, session.get_one(Collection, collection)))

        assert {one.analysis_id for one in left} == {new.id}
        assert len(left) == 2

    def test_is_found_by_those_that_are_handed_in_later(
        self, session: Session, old: Analysis, curator: Account
    ) -> None:
        ask(session, old, curator)
        new = write(session)
        hand_in(session, old)

        (late,) = claim(session)
        known = drafts.link_known(session, [late], release_id=ReleaseId(old.release_id))

        assert known == {late.id}
        session.expire_all()
        assert session.get_one(Item, late.id).analysis_id == new.id

    def test_is_followed_by_those_that_came_while_it_was_awaited(
        self, session: Session, old: Analysis, curator: Account
    ) -> None:
        ask(session, old, curator)
        hand_in(session, old)
        again, late = sorted(claim(session), key=lambda one: one.sample, reverse=True)

        drafts.link_known(session, [late], release_id=ReleaseId(old.release_id))
        drafts.record(
            session,
            [draft(again, "A red vase.")],
            release_id=ReleaseId(factories.release(session).id),
        )

        session.expire_all()
        assert shared(session, old) == 0
        found = {session.get_one(Item, one.id).analysis_id for one in (again, late)}
        assert len(found) == 1

    def test_needs_a_claim_that_still_holds(
        self, session: Session, old: Analysis, curator: Account
    ) -> None:
        ask(session, old, curator)
        (item,) = claim(session)

        lost = replace(item, token=LeaseToken(ids.new()))
        mine = drafts.record(
            session,
            [draft(lost, "A red vase.")],
            release_id=ReleaseId(factories.release(session).id),
        )

        assert mine == set()
        assert wishes(session, old) == [RegenerationState.WAITING]


class TestUndo:
    def test_withdraws_what_no_worker_has_taken_yet(
        self, session: Session, old: Analysis, curator: Account
    ) -> None:
        ask(session, old, curator)

        undo(session, old, curator)

        assert state(session, old) is ReviewState.NEEDS_REVIEW
        assert wishes(session, old) == [RegenerationState.WITHDRAWN]
        assert claim(session) == []
        assert shared(session, old) == 2

    def test_takes_it_out_of_the_hand_of_a_worker_whose_text_is_dropped(
        self, session: Session, old: Analysis, curator: Account
    ) -> None:
        ask(session, old, curator)
        (item,) = claim(session)

        undo(session, old, curator)
        mine = drafts.record(
            session,
            [draft(item, "A red vase.")],
            release_id=ReleaseId(factories.release(session).id),
        )

        assert mine == set()
        assert session.scalars(select(Attempt.outcome)).all() == [Outcome.RELEASED]
        assert session.scalar(select(func.count()).select_from(Analysis)) == 1

    def test_takes_back_what_the_model_failed_at(
        self, session: Session, old: Analysis, curator: Account
    ) -> None:
        ask(session, old, curator)
        (item,) = claim(session)
        ledger.fail(session, item, code="empty_text", sentence="nothing was written")

        undo(session, old, curator)

        session.expire_all()
        row = session.get_one(Item, item.id)
        assert (row.state, row.error_code, row.analysis_id) == (ItemState.DONE, None, old.id)

    def test_lets_a_new_text_that_came_give_way(
        self, session: Session, old: Analysis, curator: Account
    ) -> None:
        ask(session, old, curator)
        new = write(session)

        undo(session, old, curator)

        assert state(session, old) is ReviewState.NEEDS_REVIEW
        assert state(session, new) is ReviewState.SUPERSEDED
        assert (shared(session, old), shared(session, new)) == (2, 0)
        assert wishes(session, old) == [RegenerationState.RETURNED]

    def test_refuses_where_the_new_text_is_decided(
        self, session: Session, old: Analysis, curator: Account
    ) -> None:
        ask(session, old, curator)
        factories.review(session, write(session))

        with pytest.raises(AlreadyDecidedError):
            undo(session, old, curator)

    def test_refuses_on_what_gave_way_to_an_earlier_text(
        self, session: Session, old: Analysis, curator: Account
    ) -> None:
        ask(session, old, curator)
        new = write(session)
        undo(session, old, curator)

        with pytest.raises(ReplacedError):
            undo(session, new, curator)

    def test_leaves_the_way_open_for_asking_again(
        self, session: Session, old: Analysis, curator: Account
    ) -> None:
        ask(session, old, curator)
        first = write(session)
        undo(session, old, curator)

        ask(session, old, curator)
        second = write(session, "A green vase.")

        assert (first.sample, second.sample) == (1, 2)
        assert state(session, first) is ReviewState.SUPERSEDED
        assert shared(session, second) == 2
        assert wishes(session, old) == [RegenerationState.RETURNED, RegenerationState.WRITTEN]


class TestTogether:
    def test_undoing_and_writing_at_once_leave_one_text_that_stands(
        self,
        settings: Settings,  # noqa: ARG002  (a database of its own)
    ) -> None:
        ends = [_race() for _ in range(8)]

        assert set(ends) <= {
            (RegenerationState.WITHDRAWN, 1, ReviewState.NEEDS_REVIEW),
            (RegenerationState.RETURNED, 2, ReviewState.NEEDS_REVIEW),
        }


def _race() -> tuple[RegenerationState, int, ReviewState]:
    """Let a worker write while a curator undoes; return what became of the wish and the texts."""
    with db.transaction() as session:
        made, curator = factories.analysis(session), factories.account(session)
        made_id, curator_id, image_id = made.id, curator.id, made.image_id
        ask(session, made, curator)
    with db.transaction() as session:
        (item,) = claim(session)
        by = ReleaseId(factories.release(session).id)
    together = threading.Barrier(2)

    def record() -> None:
        together.wait()
        with db.transaction() as session:
            drafts.record(session, [draft(item, "A red vase.")], release_id=by)

    def take_back() -> None:
        together.wait()
        with db.transaction() as session:
            undo(session, session.get_one(Analysis, made_id), session.get_one(Account, curator_id))

    threads = [threading.Thread(target=one) for one in (record, take_back)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with db.transaction() as session:
        (wish,) = regenerations.of(session, AnalysisId(made_id))
        texts = session.scalars(select(Analysis).filter_by(image_id=image_id)).all()
        standing = [one for one in texts if shared(session, one)]
        assert [one.id for one in standing] == [made_id]
        return wish.state, len(texts), state(session, standing[0])


class TestConstraints:
    def test_a_superseded_text_has_a_reason(self, session: Session, old: Analysis) -> None:
        with pytest.raises(IntegrityError, match="ck_review_reason"):
            factories.review(session, old, Decision.SUPERSEDED, reason=None)

    def test_one_text_awaits_one_other(
        self, session: Session, old: Analysis, curator: Account
    ) -> None:
        ask(session, old, curator)
        review = factories.review(session, old, Decision.SUPERSEDED, reason=RejectionReason.STYLE)

        session.add(
            Regeneration(
                review_id=review.id,
                analysis_id=old.id,
                image_id=old.image_id,
                item_id=old.item_id,
                sample=2,
            )
        )
        with pytest.raises(IntegrityError, match="uq_regeneration"):
            session.flush()


class TestWithout:
    @pytest.fixture
    def dated(self, session: Session) -> Analysis:
        """A text in which a date stands, and a fault of the whole."""
        made = factories.analysis(session, text="Painted in 1642, it is calm. A vase stands there.")
        checkups.run(session, [factories.newest_revision(session, made).id])
        return made

    def test_leaves_every_sentence_out_on_which_the_check_speaks_again(
        self, session: Session, dated: Analysis, curator: Account
    ) -> None:
        ask(session, dated, curator, without=[CheckName.DATE])

        new = write(session, "It is of 1642. A red vase.\n\nIn 1643 it hung here. Soft light.")

        view = analyses.get(session, AnalysisId(new.id))
        assert view.revision.text == "A red vase.\n\nSoft light."
        assert view.revision.account_id == curator.id
        assert new.text.startswith("It is of 1642.")
        assert CheckName.DATE not in {one.finding.check_name for one in view.findings}
        assert view.state is ReviewState.NEEDS_REVIEW

    def test_says_what_was_to_be_left_out(
        self, session: Session, dated: Analysis, curator: Account
    ) -> None:
        ask(session, dated, curator, without=[CheckName.DATE])

        (wish,) = regenerations.of(session, AnalysisId(dated.id))
        assert wish.without == ["date"]

    def test_keeps_a_text_of_which_nothing_would_be_left(
        self, session: Session, dated: Analysis, curator: Account
    ) -> None:
        ask(session, dated, curator, without=[CheckName.DATE])

        new = write(session, "It was painted in 1642.")

        assert analyses.get(session, AnalysisId(new.id)).revision.number == 0

    def test_leaves_alone_what_other_checks_say(
        self, session: Session, dated: Analysis, curator: Account
    ) -> None:
        ask(session, dated, curator)

        new = write(session, "It is of 1642. A red vase.")

        assert analyses.get(session, AnalysisId(new.id)).revision.number == 0

    def test_does_not_count_as_opened_by_who_asked(
        self, session: Session, dated: Analysis, curator: Account
    ) -> None:
        ask(session, dated, curator, without=[CheckName.DATE])
        new = write(session, "It is of 1642. A red vase.")

        with pytest.raises(NotOpenedError):
            reviews.approve(
                session,
                AnalysisId(new.id),
                revision_number=1,
                account=curator,
                client=Client.DESK,
                seconds_seen=60,
            )

    def test_refuses_a_check_that_flags_no_sentence(
        self, session: Session, dated: Analysis, curator: Account
    ) -> None:
        with pytest.raises(InvalidError, match="colour_absent; could be left out: date"):
            ask(session, dated, curator, without=[CheckName.COLOUR_ABSENT])

        assert state(session, dated) is ReviewState.NEEDS_REVIEW
