"""Pictures that show several objects: the strictest gate of them holds."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import Engine, create_engine, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from predella import clock
from predella.ids import CollectionId, SubmissionId
from predella.models import (
    Analysis,
    Collection,
    ExportLine,
    Item,
    ItemState,
    Review,
    ReviewState,
    Sensitivity,
    Stage,
    Standing,
    Submission,
)
from predella.services import gates, images, ledger, outgoing, withdrawals
from predella.services.gates import Change
from predella.services.images import Finding, Prepared
from predella.services.outgoing import Gate
from tests import factories
from tests.pictures import tiny
from tests.predella.services.hand_ins import Museum
from tests.services import Bucket

RESTRICT = Change(sensitivity=Sensitivity.RESTRICTED)
OPEN = Change(sensitivity=Sensitivity.NONE)
HOLDS_TEXTS_BACK = {
    "review": Change(sensitivity=Sensitivity.REVIEW),
    "restricted": RESTRICT,
    "ai_processing": Change(ai_processing=False),
    "export": Change(exportable=False),
    "embargo": Change(embargo_until=clock.now().date() + timedelta(days=2)),
    "rights": Change(clear=["rights_work"]),
}
HEADER = "object_number,filename,sensitivity,rights_work,view,primary\n"
FREE = factories.PUBLIC_DOMAIN


def _change(session: Session, item: Item, to: Change) -> None:
    gates.change(
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


def _shared(session: Session) -> tuple[Item, Item]:
    """Two objects in one file, which nobody has read yet."""
    one = factories.item(session, next_attempt_at=func.now())
    within = session.get_one(Submission, one.submission_id)
    other = factories.item(session, within, etag=one.etag, next_attempt_at=func.now())
    return one, other


def _approved(session: Session) -> tuple[Item, Item]:
    """Two objects in one picture with one approved text."""
    item = factories.approved(session)
    other = factories.item(session, session.get_one(Submission, item.submission_id))
    factories.share(session, session.get_one(Analysis, item.analysis_id), other)
    return item, other


def _leaving(session: Session, item: Item) -> set[str]:
    collection = session.get_one(Collection, item.collection_id)
    return {one.entry.object.number for one in outgoing.departures(session, collection)}


def _prepare(session: Session, sha256: bytes) -> None:
    """Find these bytes in the file of the next item."""
    (held,) = ledger.claim(session, Stage.PREPARE, worker="w", limit=1, lease_seconds=60)
    finding = Finding(
        size=1000,
        format="JPEG",
        width=1200,
        height=900,
        preprocessing="test/1",
        model_sha256=factories.digest("model-ready"),
        facts={},
    )
    images.record(session, [Prepared(held, sha256, finding)])


class TestHandIn:
    @pytest.fixture
    def museum(self, session: Session, s3: Bucket) -> Museum:
        museum = Museum(session, s3)
        museum.put("both.jpg", "alone.jpg", "front.jpg")
        return museum

    def _hand_in(self, museum: Museum, *rows: str) -> dict[str, ItemState]:
        museum.hand_in(HEADER + "\n".join(rows) + "\n")
        found = museum.session.execute(select(Item.object_number, Item.state).order_by(Item.id))
        return dict(found.all())

    def test_keeps_a_picture_from_the_model_when_one_of_its_objects_is_closed(
        self, museum: Museum
    ) -> None:
        states = self._hand_in(
            museum,
            f"1,both.jpg,restricted,{FREE},,",
            f"2,both.jpg,,{FREE},,",
            f"3,alone.jpg,,{FREE},,",
        )

        assert states == {
            "1": ItemState.WITHHELD,
            "2": ItemState.WITHHELD,
            "3": ItemState.WAITING,
        }

    def test_closes_a_picture_that_came_before(self, museum: Museum) -> None:
        self._hand_in(museum, f"2,both.jpg,,{FREE},,")

        states = self._hand_in(museum, f"1,both.jpg,restricted,{FREE},,")

        assert states["2"] is ItemState.WITHHELD

    def test_hears_a_further_view_that_shows_a_closed_object(self, museum: Museum) -> None:
        states = self._hand_in(
            museum,
            f"1,front.jpg,restricted,{FREE},front,y",
            f"1,both.jpg,,{FREE},detail,n",
            f"2,both.jpg,,{FREE},,",
        )

        assert states["2"] is ItemState.WITHHELD

    def test_knows_the_same_bytes_under_another_name(self, museum: Museum) -> None:
        museum.write("copy.jpg", tiny("both.jpg"))

        states = self._hand_in(museum, f"1,copy.jpg,restricted,{FREE},,", f"2,both.jpg,,{FREE},,")

        assert states["2"] is ItemState.WITHHELD

    def test_leaves_an_object_that_was_handed_in_twice_as_it_is(self, museum: Museum) -> None:
        self._hand_in(museum, f"1,both.jpg,,{FREE},,")

        self._hand_in(museum, f"1,both.jpg,,{FREE},recto,")

        assert set(museum.session.scalars(select(Item.picture_id))) == {None}
        assert set(museum.session.scalars(select(Item.state))) == {ItemState.WAITING}


class TestChange:
    def test_withholds_all_objects_of_a_picture_until_none_is_closed(
        self, session: Session
    ) -> None:
        one, other = _shared(session)

        _change(session, one, RESTRICT)
        _change(session, other, Change(ai_processing=False))
        both = _states(session, one, other)
        _change(session, one, OPEN)
        still = _states(session, one, other)
        _change(session, other, Change(ai_processing=True))

        assert both == still == [ItemState.WITHHELD, ItemState.WITHHELD]
        assert _states(session, one, other) == [ItemState.WAITING, ItemState.WAITING]

    def test_calls_a_picture_back_that_is_in_hand_for_another_object(
        self, session: Session
    ) -> None:
        one, other = _shared(session)
        held = ledger.claim(session, Stage.PREPARE, worker="w", limit=2, lease_seconds=60)

        _change(session, one, RESTRICT)

        assert ledger.lock(session, held) == set()
        assert _states(session, other) == [ItemState.WITHHELD]

    def test_takes_the_text_out_of_the_queue_and_gives_back_what_was_decided(
        self, session: Session
    ) -> None:
        item, other = _approved(session)

        _change(session, other, RESTRICT)
        withheld = _standing(session, item), _states(session, item)
        _change(session, other, OPEN)

        assert withheld == (ReviewState.WITHHELD, [ItemState.WITHHELD])
        assert _standing(session, item) is ReviewState.APPROVED
        assert _states(session, item, other) == [ItemState.DONE, ItemState.DONE]

    def test_finds_out_when_the_file_is_read(self, session: Session) -> None:
        known = factories.item(session)
        factories.analysis(session, known)
        within = session.get_one(Submission, known.submission_id)
        other = factories.item(session, within, next_attempt_at=func.now())
        assert known.sha256

        _prepare(session, known.sha256)
        before = _states(session, other)
        _change(session, known, RESTRICT)

        assert before == [ItemState.WAITING]
        assert _states(session, other) == [ItemState.WITHHELD]

    def test_joins_what_was_two_pictures_while_nobody_had_read_them(self, session: Session) -> None:
        """Files of the same bytes under two ETags, each with two objects."""
        one, beside_one = _shared(session)
        within = session.get_one(Submission, one.submission_id)
        two = factories.item(session, within, next_attempt_at=func.now() + timedelta(seconds=-1))
        beside_two = factories.item(session, within, etag=two.etag, next_attempt_at=func.now())
        for _ in range(4):
            _prepare(session, factories.digest("the same"))

        _change(session, beside_one, RESTRICT)

        assert len({one.picture_id, beside_one.picture_id, two.picture_id}) == 1
        assert _states(session, one, two, beside_two) == [ItemState.WITHHELD] * 3

    def test_does_not_hear_a_hand_in_that_was_withdrawn(self, session: Session) -> None:
        item = factories.item(session)
        collection = session.get_one(Collection, item.collection_id)
        wrong = factories.submission(session, collection)
        factories.item(session, wrong, etag=item.etag, sensitivity=Sensitivity.RESTRICTED)
        before = _states(session, item)

        for turn in (withdrawals.withdraw, withdrawals.restore, withdrawals.withdraw):
            turn(
                session,
                SubmissionId(wrong.id),
                account=factories.account(session),
                reason="that object is not in the picture",
            )

        assert before == [ItemState.WITHHELD]
        assert _states(session, item) == [ItemState.WAITING]

    def test_holds_when_two_gates_of_a_picture_change_at_once(
        self, session: Session, database_url: str
    ) -> None:
        one, other = _shared(session)
        third = factories.item(
            session, session.get_one(Submission, one.submission_id), etag=one.etag
        )
        _change(session, other, RESTRICT)
        session.commit()

        _change(session, one, RESTRICT)
        with _meanwhile(create_engine(database_url), other, OPEN):
            session.commit()

        assert _states(session, one, other, third) == [ItemState.WITHHELD] * 3
        assert [one.is_open, other.is_open, third.is_open] == [False, True, True]


@contextmanager
def _meanwhile(engine: Engine, item: Item, to: Change) -> Iterator[None]:
    """Begin the change in a transaction of its own, and have it end after the block."""
    collection_id, number = CollectionId(item.collection_id), item.object_number
    began = threading.Event()

    def work() -> None:
        with Session(engine) as own, own.begin():
            account = factories.account(own)
            began.set()
            gates.change(own, collection_id, number, to, account=account, reason="agreed")

    thread = threading.Thread(target=work)
    thread.start()
    began.wait()
    thread.join(0.3)
    assert thread.is_alive(), "it did not wait for the other change"
    yield
    thread.join()
    engine.dispose()


class TestLeaving:
    @pytest.mark.parametrize("gate", HOLDS_TEXTS_BACK)
    def test_leaves_for_none_of_its_objects_while_one_is_kept_back(
        self, session: Session, gate: str
    ) -> None:
        item, other = _approved(session)
        before = _leaving(session, item)

        _change(session, other, HOLDS_TEXTS_BACK[gate])

        assert before == {item.object_number, other.object_number}
        assert _leaving(session, item) == set()
        of = CollectionId(item.collection_id)
        assert gates.beside(session, of, item.object_number) == [other.object_number]
        assert gates.beside(session, of, other.object_number) == []
        counted = outgoing.kept_back(session, of)
        assert counted[Gate.BESIDE] == 1
        assert sum(counted.values()) == 2

    @pytest.mark.parametrize("gate", HOLDS_TEXTS_BACK)
    def test_is_held_by_the_database(self, session: Session, gate: str) -> None:
        item, other = _approved(session)
        export = factories.export(session, session.get_one(Collection, item.collection_id))
        approval = session.scalars(select(Review)).one()
        line = {
            name: getattr(approval, name)
            for name in ("analysis_id", "revision_id", "revision_sha256")
        }
        line |= {"export_id": export.id, "item_id": item.id, "review_id": approval.id}
        line["sha256"] = factories.digest("line")

        session.add(ExportLine(**line, number=1))
        session.flush()
        _change(session, other, HOLDS_TEXTS_BACK[gate])

        session.add(ExportLine(**line, number=2))
        with pytest.raises(IntegrityError, match="may not leave"):
            session.flush()

    def test_hears_an_object_whose_file_was_never_read(self, session: Session) -> None:
        item = factories.approved(session)
        within = session.get_one(Submission, item.submission_id)

        factories.item(session, within, etag=item.etag, sensitivity=Sensitivity.REVIEW)

        assert _leaving(session, item) == set()
