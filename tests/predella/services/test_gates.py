import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from predella import clock
from predella.errors import InvalidError, NotFoundError, WithheldError
from predella.ids import AnalysisId, CollectionId
from predella.models import (
    Attempt,
    AuditEntry,
    Client,
    Collection,
    Decision,
    Item,
    ItemState,
    ObjectGate,
    Outcome,
    ReviewState,
    Sensitivity,
    Stage,
    Standing,
    Submission,
)
from predella.services import claims, gates, ledger, outgoing, reviews, searches
from predella.services.gates import Change
from predella.services.outgoing import Gate
from tests import factories
from tests.predella.services.hand_ins import Museum
from tests.services import Bucket

RESTRICT = Change(sensitivity=Sensitivity.RESTRICTED)
OPEN = Change(sensitivity=Sensitivity.NONE)


def _change(session: Session, item: Item, to: Change) -> ObjectGate:
    return gates.change(
        session,
        CollectionId(item.collection_id),
        item.object_number,
        to,
        account=factories.account(session),
        reason="the community asked for it",
    )


def _states(session: Session, *items: Item) -> list[ItemState]:
    session.expire_all()
    return [item.state for item in items]


def _standing(session: Session, item: Item) -> ReviewState:
    query = select(Standing.state).where(Standing.analysis_id == item.analysis_id)
    return session.scalars(query).one()


def _claim(session: Session) -> list[ledger.Claimed]:
    return ledger.claim(session, Stage.PREPARE, worker="test", limit=10, lease_seconds=60)


class TestChange:
    def test_withholds_what_waits_of_every_hand_in_and_brings_it_back(
        self, session: Session
    ) -> None:
        first = factories.item(session, object_number="1925.12.3")
        within = session.get_one(Collection, first.collection_id)
        second = factories.item(
            session, factories.submission(session, within), object_number="1925.12.3"
        )
        other = factories.item(
            session, factories.submission(session, within), next_attempt_at=func.now()
        )

        _change(session, first, RESTRICT)
        closed = _states(session, first, second, other)
        claimed = _claim(session)
        _change(session, first, OPEN)

        assert closed == [ItemState.WITHHELD, ItemState.WITHHELD, ItemState.WAITING]
        assert [one.id for one in claimed] == [other.id]
        assert _states(session, first, second) == [ItemState.WAITING] * 2

    def test_has_a_hand_in_end_once_more_when_its_items_come_free(self, session: Session) -> None:
        item = factories.item(session, object_number="1")
        _change(session, item, Change(sensitivity=Sensitivity.RESTRICTED))
        submission = session.get_one(Submission, item.submission_id)
        submission.finished_at = clock.now()
        session.flush()

        _change(session, item, Change(exportable=False))
        session.refresh(submission)
        assert submission.finished_at is not None

        _change(session, item, Change(sensitivity=Sensitivity.NONE))
        session.refresh(submission)
        assert submission.finished_at is None

    def test_calls_back_what_a_worker_has_in_hand(self, session: Session) -> None:
        item = factories.item(session, next_attempt_at=func.now())
        (held,) = _claim(session)

        _change(session, item, RESTRICT)

        assert ledger.heartbeat(session, [held], lease_seconds=60) == [held]
        assert ledger.fail(session, held, code="x", sentence="y") == set()
        assert _states(session, item) == [ItemState.WITHHELD]
        assert session.scalars(select(Attempt.outcome)).all() == [Outcome.LOST]
        assert item.attempt == 0

    @pytest.mark.parametrize("close", [RESTRICT, Change(ai_processing=False)])
    def test_takes_an_open_text_out_of_the_queue_and_back_into_it(
        self, session: Session, close: Change
    ) -> None:
        item = factories.item(session)
        factories.analysis(session, item)
        curator = factories.account(session)
        every = searches.parse(session, "", account=curator, within=None)

        _change(session, item, close)
        assert _standing(session, item) is ReviewState.WITHHELD
        assert claims.take(session, every, account=curator) == []
        _change(session, item, Change(sensitivity=Sensitivity.NONE, ai_processing=True))

        assert _standing(session, item) is ReviewState.NEEDS_REVIEW
        assert claims.take(session, every, account=curator) == [item.analysis_id]
        assert _states(session, item) == [ItemState.DONE]

    def test_lets_nobody_decide_on_what_is_on_screen(self, session: Session) -> None:
        item = factories.item(session)
        analysis_id = AnalysisId(factories.analysis(session, item).id)
        curator = factories.account(session)
        _change(session, item, RESTRICT)

        with pytest.raises(WithheldError):
            claims.hold(session, analysis_id, account=curator)
        with pytest.raises(WithheldError):
            reviews.approve(
                session, analysis_id, revision_number=0, account=curator, client=Client.API
            )

    def test_takes_an_approved_text_out_of_exports_and_back(self, session: Session) -> None:
        item = factories.approved(session)
        collection = session.get_one(Collection, item.collection_id)

        _change(session, item, RESTRICT)
        assert list(outgoing.departures(session, collection)) == []
        assert outgoing.kept_back(session, collection.id) == {Gate.SENSITIVE: 1}
        _change(session, item, OPEN)

        assert [one.item_id for one in outgoing.departures(session, collection)] == [item.id]
        assert _standing(session, item) is ReviewState.APPROVED

    def test_remembers_a_decision_that_came_before(self, session: Session) -> None:
        item = factories.item(session)
        factories.review(session, factories.analysis(session, item), Decision.REJECTED)

        _change(session, item, RESTRICT)
        _change(session, item, OPEN)

        assert _standing(session, item) is ReviewState.REJECTED

    def test_leaves_a_failure_as_it_is(self, session: Session) -> None:
        item = factories.item(session, next_attempt_at=func.now())
        (held,) = _claim(session)
        ledger.fail(session, held, code="truncated", sentence="it ends early")

        _change(session, item, RESTRICT)

        assert _states(session, item) == [ItemState.FAILED]

    def test_is_entered_in_the_audit_log_with_its_reason(self, session: Session) -> None:
        item = factories.item(session)

        gate = _change(session, item, RESTRICT)

        entry = session.scalars(select(AuditEntry).filter_by(action="object.gated")).one()
        assert (entry.account_id, entry.subject_id) == (gate.account_id, item.object_number)
        assert entry.details["reason"] == "the community asked for it"
        before, after = entry.details["before"], entry.details["after"]
        assert (before["sensitivity"], after["sensitivity"]) == ("none", "restricted")  # type: ignore[index]

    @pytest.mark.parametrize(
        ("to", "words"),
        [
            (Change(), "what is to change"),
            (Change(rights_work="ask us"), "no rights statement"),
            (Change(clear=["sensitivity"]), "cannot be empty"),
        ],
    )
    def test_refuses_what_says_nothing(self, session: Session, to: Change, words: str) -> None:
        with pytest.raises(InvalidError, match=words):
            _change(session, factories.item(session), to)

    def test_needs_a_reason(self, session: Session) -> None:
        item = factories.item(session)

        with pytest.raises(InvalidError, match="why"):
            gates.change(
                session,
                CollectionId(item.collection_id),
                item.object_number,
                RESTRICT,
                account=factories.account(session),
                reason=" \n",
            )

    def test_knows_only_objects_that_were_handed_in(self, session: Session) -> None:
        item = factories.item(session)

        with pytest.raises(NotFoundError, match="no object elsewhere"):
            gates.get(session, CollectionId(item.collection_id), "elsewhere")


HEADER = "object_number,filename,sensitivity,rights_work,title,view,primary\n"
FREE = factories.PUBLIC_DOMAIN


class TestSpeak:
    @pytest.fixture
    def museum(self, session: Session, s3: Bucket) -> Museum:
        museum = Museum(session, s3)
        museum.put("a.jpg", "b.jpg", "c.jpg", "front.jpg", "back.jpg", "detail.jpg")
        return museum

    def _receive(self, museum: Museum, *rows: str) -> None:
        museum.hand_in(HEADER + "\n".join(rows) + "\n")

    def _gate(self, museum: Museum) -> ObjectGate:
        return gates.get(museum.session, CollectionId(museum.collection.id), "1")

    def test_closes_an_object_when_a_newer_manifest_says_so(
        self, session: Session, museum: Museum
    ) -> None:
        self._receive(museum, f"1,a.jpg,none,{FREE},,,")
        self._receive(museum, f"1,a.jpg,restricted,{FREE},,,")

        assert set(session.scalars(select(Item.state))) == {ItemState.WITHHELD}

    def test_does_not_undo_what_a_person_said_by_repeating_itself(
        self, session: Session, museum: Museum
    ) -> None:
        self._receive(museum, f"1,a.jpg,none,{FREE},,,")
        _change(session, session.scalars(select(Item)).one(), RESTRICT)
        self._receive(museum, f"1,a.jpg,none,{FREE},A title,,")

        assert set(session.scalars(select(Item.state))) == {ItemState.WITHHELD}
        assert session.scalar(select(func.count()).select_from(Item)) == 2

    def test_takes_the_strictest_row_of_an_object_and_the_rights_of_the_one_that_speaks(
        self, museum: Museum
    ) -> None:
        self._receive(
            museum,
            "1,back.jpg,review,,,back,n",
            f"1,front.jpg,none,{FREE},,front,y",
        )

        gate = self._gate(museum)
        assert (gate.sensitivity, gate.rights_work) == (Sensitivity.REVIEW, FREE)

    def test_hears_a_further_view_only_when_it_closes(self, museum: Museum) -> None:
        self._receive(museum, f"1,front.jpg,none,{FREE},,front,y")
        self._receive(museum, "1,back.jpg,none,,,back,n")
        unchanged = self._gate(museum).rights_work
        self._receive(museum, "1,detail.jpg,restricted,,,detail,n")

        assert unchanged == FREE
        assert self._gate(museum).sensitivity is Sensitivity.RESTRICTED

    def test_counts_once_what_it_keeps_back(self, session: Session, museum: Museum) -> None:
        self._receive(museum, "1,a.jpg,none,,,,", "2,b.jpg,restricted,,,,", "3,c.jpg,,,,,")

        entry = session.scalars(select(AuditEntry).filter_by(action="gates.kept_back")).one()
        assert entry.details == {
            "restricted": 1,
            "ai_processing": 1,
            "denied": 1,
            "rights_unknown": 3,
        }
