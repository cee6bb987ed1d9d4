import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, inspect, select, text
from sqlalchemy.orm import Session

from predella import clock, ids
from predella.ids import LeaseToken
from predella.models import Attempt, Collection, Item, ItemState, Outcome, Stage, Submission
from predella.services import ledger
from predella.services.ledger import Claimed
from tests import factories


def claim(
    session: Session, *, limit: int = 10, stage: Stage = Stage.PREPARE, suspects: bool = True
) -> list[Claimed]:
    return ledger.claim(
        session, stage, worker="test:1", limit=limit, lease_seconds=90, suspects=suspects
    )


def waiting(session: Session, within: Submission | None = None, **fields: Any) -> Item:
    """The transaction of a test began before the item was made."""
    fields.setdefault("next_attempt_at", clock.now() - timedelta(minutes=1))
    return factories.item(session, within, **fields)


def fresh(session: Session, item: Claimed | Item) -> Item:
    session.expire_all()
    return session.get_one(Item, item.id)


def attempts(session: Session, item: Claimed | Item) -> list[Attempt]:
    session.expire_all()
    return list(
        session.scalars(
            select(Attempt).filter_by(item_id=item.id).order_by(Attempt.number, Attempt.id)
        )
    )


class TestClaim:
    def test_takes_the_most_urgent_first_and_no_more_than_asked(self, session: Session) -> None:
        late, first, second = (waiting(session, priority=priority) for priority in (9, 5, 5))

        claimed = claim(session, limit=2)

        assert [item.id for item in claimed] == [first.id, second.id]
        assert fresh(session, late).state is ItemState.WAITING

    def test_leases_under_one_token_and_counts_the_attempt_before_anything_is_tried(
        self, session: Session
    ) -> None:
        waiting(session)
        waiting(session)

        claimed = claim(session)

        assert len({item.token for item in claimed}) == 1
        for item in claimed:
            row = fresh(session, item)
            assert (row.state, row.attempt, row.lease_owner) == (ItemState.LEASED, 1, "test:1")
            assert row.lease_token == item.token
            assert row.lease_until is not None
            assert 80 < (row.lease_until - clock.now()).total_seconds() < 91
            (attempt,) = attempts(session, item)
            assert (attempt.number, attempt.outcome) == (1, None)
            assert attempt.lease_token == item.token

    def test_gives_everything_that_the_stage_needs(self, session: Session) -> None:
        picture = factories.image(session)
        owner = session.get_one(Collection, picture.collection_id)
        within = factories.submission(session, owner)
        made = waiting(
            session,
            within,
            stage=Stage.ANALYZE,
            image_id=picture.id,
            sha256=picture.sha256,
            version_id="v7",
            key="Gemälde/ü.jpg",
        )

        (claimed,) = claim(session, stage=Stage.ANALYZE)

        assert claimed.source.key == "Gemälde/ü.jpg"
        assert (claimed.source.version_id, claimed.source.etag) == ("v7", made.etag)
        assert claimed.picture.id == picture.id
        assert claimed.picture.model_sha256 == picture.model_sha256
        assert claimed.sha256 == picture.sha256

    def test_leaves_other_stages_other_states_and_what_must_wait(self, session: Session) -> None:
        waiting(session, state=ItemState.WITHHELD, ai_processing=False)
        waiting(session, next_attempt_at=clock.now() + timedelta(minutes=1))
        claim(session)
        waiting(session, state=ItemState.FAILED, error_code="undecodable")

        assert claim(session) == []
        assert claim(session, stage=Stage.ANALYZE) == []

    def test_takes_a_suspect_alone_and_only_when_asked(self, session: Session) -> None:
        innocent = waiting(session)
        suspect = waiting(session, attempt=1)

        assert [item.id for item in claim(session, suspects=False)] == [innocent.id]
        waiting(session)
        (alone,) = claim(session)

        assert (alone.id, alone.attempt, alone.is_suspect) == (suspect.id, 2, True)

    @pytest.mark.usefixtures("database_url")
    def test_does_not_wait_for_what_another_is_claiming(self, session: Session) -> None:
        one, two = waiting(session), waiting(session)
        session.commit()
        with Session(session.get_bind()) as other:
            (theirs,) = claim(other, limit=1)
            (ours,) = claim(session, limit=1)
        assert (theirs.id, ours.id) == (one.id, two.id)


class TestHeartbeat:
    def test_lengthens_the_lease_and_tells_what_is_lost(self, session: Session) -> None:
        waiting(session)
        (held,) = claim(session)
        session.execute(text("UPDATE item SET lease_until = now() + interval '1 second'"))
        gone = replace(held, token=LeaseToken(ids.new()))

        lost = ledger.heartbeat(session, [held, gone], lease_seconds=90)

        assert lost == [gone]
        until = fresh(session, held).lease_until
        assert until is not None
        assert (until - clock.now()).total_seconds() > 80

    def test_does_not_revive_what_was_finished(self, session: Session) -> None:
        waiting(session)
        (held,) = claim(session)
        ledger.release(session, [held])

        assert ledger.heartbeat(session, [held], lease_seconds=90) == [held]
        assert fresh(session, held).lease_until is None


class TestFail:
    def test_says_why_in_words_and_never_comes_back(self, session: Session) -> None:
        waiting(session)
        (held,) = claim(session)

        assert ledger.fail(session, held, code="truncated", sentence="it ends early") == {held.id}

        row = fresh(session, held)
        assert (row.state, row.error_code, row.error) == (
            ItemState.FAILED,
            "truncated",
            "it ends early",
        )
        assert row.finished_at is not None
        (attempt,) = attempts(session, held)
        assert (attempt.outcome, attempt.error_code) == (Outcome.FAILED, "truncated")
        assert claim(session) == []

    def test_is_refused_to_a_worker_that_lost_its_lease(self, session: Session) -> None:
        waiting(session)
        (zombie,) = claim(session)
        ledger.release(session, [zombie])
        (holder,) = claim(session)

        assert ledger.fail(session, zombie, code="truncated", sentence="") == set()

        assert fresh(session, holder).state is ItemState.LEASED
        assert fresh(session, holder).lease_token == holder.token


class TestRetry:
    def test_comes_back_later_each_time_and_is_given_up_at_last(self, session: Session) -> None:
        waiting(session)
        pauses = []
        for _ in range(3):
            (held,) = claim(session)
            ledger.retry(session, held, code="unavailable", sentence="no answer", max_attempts=4)
            row = fresh(session, held)
            assert row.state is ItemState.WAITING
            assert claim(session) == []
            pauses.append((row.next_attempt_at - clock.now()).total_seconds())
            session.execute(text("UPDATE item SET next_attempt_at = now()"))
        (held,) = claim(session)
        ledger.retry(session, held, code="unavailable", sentence="no answer", max_attempts=4)

        assert pauses == sorted(pauses)
        assert pauses[0] > 3
        row = fresh(session, held)
        assert (row.state, row.error_code) == (ItemState.FAILED, ledger.GAVE_UP)
        assert row.error is not None
        assert "4 attempts" in row.error
        assert "no answer" in row.error
        assert [attempt.outcome for attempt in attempts(session, held)] == [Outcome.RETRY] * 4


class TestRelease:
    def test_gives_the_attempt_back_and_leaves_the_record(self, session: Session) -> None:
        waiting(session)
        waiting(session)
        held = claim(session)

        ledger.release(session, held)

        for item in held:
            row = fresh(session, item)
            assert (row.state, row.attempt) == (ItemState.WAITING, 0)
            assert [a.outcome for a in attempts(session, item)] == [Outcome.RELEASED]
        assert len(claim(session)) == 2

    def test_touches_nothing_that_is_not_held(self, session: Session) -> None:
        waiting(session)
        (zombie,) = claim(session)
        ledger.release(session, [zombie])
        (holder,) = claim(session)

        assert ledger.release(session, [zombie]) == set()
        assert fresh(session, holder).attempt == 1


class TestEndedHere:
    def test_tells_a_commit_without_reply_from_a_lost_lease(self, session: Session) -> None:
        waiting(session)
        waiting(session)
        committed, taken = claim(session)
        ledger.fail(session, committed, code="truncated", sentence="it ends early")
        session.execute(
            text("UPDATE attempt SET outcome = 'lost' WHERE item_id = :id"), {"id": taken.id}
        )

        assert ledger.ended_here(session, [committed, taken]) == {committed.id}


class TestScale:
    @pytest.mark.usefixtures("database_url")
    def test_finds_the_suspect_among_many_fresh_items_at_once(self, session: Session) -> None:
        template = waiting(session)
        columns = {column.name for column in inspect(Item).columns} - {"id", "key"}
        names = ", ".join(f'"{name}"' for name in sorted(columns))
        session.execute(
            text(
                f"INSERT INTO item (id, key, {names}) "  # noqa: S608  (names of our own columns)
                f"SELECT gen_random_uuid(), n || '.png', {names} FROM item, "
                "generate_series(1, 30000) n WHERE id = :id"
            ),
            {"id": template.id},
        )
        session.commit()
        session.execute(text("ANALYZE item"))
        started = time.monotonic()
        for _ in range(20):
            assert len(claim(session, limit=16)) == 16
            session.commit()
        assert time.monotonic() - started < 1
        assert session.scalar(select(func.count()).where(Item.state == ItemState.LEASED)) == 320
