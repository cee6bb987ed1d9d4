import threading
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from predella import db, ids, queue
from predella.errors import (
    ConflictError,
    InvalidError,
    NotFoundError,
    SourceError,
    UnavailableError,
)
from predella.ids import AccountId, CollectionId, SubmissionId
from predella.models import Account, Item, Refusal, Submission, SubmissionState
from predella.services import collections, leases, submissions
from predella.services.leases import Lease
from predella.settings import Settings
from predella.storage import ObjectVersion, Store
from tests import factories
from tests.predella.services.hand_ins import PREFIX, Museum
from tests.services import Bucket


@pytest.fixture
def museum(session: Session, s3: Bucket) -> Museum:
    return Museum(session, s3)


@pytest.fixture
def account(session: Session) -> Account:
    return factories.account(session)


class TestCreate:
    @pytest.mark.parametrize(
        "place",
        ["manifest.csv", "deep/list.JSONL", "list.csv.gz", "", "2026/"],
    )
    def test_takes_a_manifest_or_a_folder_of_the_collection(
        self, session: Session, museum: Museum, account: Account, place: str
    ) -> None:
        source = f"s3://{museum.bucket.name}/{PREFIX}{place}"

        made = submissions.create(
            session, museum.collection, account=account, source=source, title=" Box\0 12 "
        )

        assert (made.state, made.source, made.title) == ("receiving", source, "Box 12")
        assert submissions.get(session, SubmissionId(made.id)).collection is museum.collection

    @pytest.mark.parametrize(
        "source",
        [
            "s3://{bucket}/elsewhere/manifest.csv",
            "s3://{bucket}/paintings-of-others/manifest.csv",
            "s3://{bucket}/",
            "s3://another-bucket/paintings/manifest.csv",
            "s3://{bucket}/paintings/scan.jpg",
            "s3://{bucket}/paintings",
            "s3://{bucket}/paintings/a\nb/",
            "https://example.org/manifest.csv",
            "s3://127.0.0.1/paintings/",
            "/etc/passwd",
        ],
    )
    def test_refuses_every_other_place(
        self, session: Session, museum: Museum, account: Account, source: str
    ) -> None:
        with pytest.raises(SourceError):
            submissions.create(
                session,
                museum.collection,
                account=account,
                source=source.format(bucket=museum.bucket.name),
            )

    def test_takes_a_manifest_from_our_own_bucket_but_nothing_else_of_it(
        self, session: Session, museum: Museum, account: Account, settings: Settings
    ) -> None:
        own = f"s3://{settings.bucket}"

        submissions.create(
            session, museum.collection, account=account, source=f"{own}/submissions/a.csv"
        )

        with pytest.raises(SourceError):
            submissions.create(
                session, museum.collection, account=account, source=f"{own}/exports/a.csv"
            )


class TestNumbering:
    PATTERN = "(?P<number>[A-Z]+)"

    @pytest.mark.parametrize(
        ("said", "kept"),
        [
            ({}, (PATTERN, "dc:identifier")),
            ({"number_field": "2:5"}, (PATTERN, "2:05")),
            ({"number_pattern": "", "number_field": ""}, (None, None)),
            ({"number_field": ""}, (PATTERN, None)),
        ],
    )
    def test_is_that_of_the_collection_where_nothing_else_is_said(
        self,
        session: Session,
        museum: Museum,
        account: Account,
        said: dict[str, Any],
        kept: tuple[str | None, str | None],
    ) -> None:
        collections.choose_numbering(
            session, museum.collection, pattern=self.PATTERN, field="DC:identifier"
        )
        source = f"s3://{museum.bucket.name}/{PREFIX}"

        made = submissions.create(
            session, museum.collection, account=account, source=source, **said
        )
        collections.choose_numbering(session, museum.collection, pattern="", field="")

        assert (made.number_pattern, made.number_field) == kept

    def test_that_cannot_be_is_refused_at_once(
        self, session: Session, museum: Museum, account: Account
    ) -> None:
        source = f"s3://{museum.bucket.name}/{PREFIX}"

        with pytest.raises(InvalidError, match="no prefix that is known"):
            submissions.create(
                session,
                museum.collection,
                account=account,
                source=source,
                number_field="museum:number",
            )


class TestReading:
    def test_pages_go_on_after_the_last_one_seen(self, session: Session) -> None:
        within = factories.collection(session)
        made = [factories.submission(session, within) for _ in range(3)]
        factories.submission(session)
        of = CollectionId(within.id)

        first = submissions.listed(session, within=None, collection_id=of, limit=2)
        rest = submissions.listed(session, within=None, collection_id=of, after=first[-1].id)

        assert [*first, *rest] == made
        assert (
            list(submissions.latest(session, within=None, collection_id=of, limit=2)) == made[:0:-1]
        )

    def test_names_what_is_not_there(self, session: Session) -> None:
        with pytest.raises(NotFoundError):
            submissions.get(session, SubmissionId(ids.new()))

    def test_refusals_come_in_the_order_of_the_rows(self, museum: Museum) -> None:
        museum.put("beside.jpg", "named.jpg")
        rows = "".join(f"{number},gone-{number}.jpg\n" for number in range(5))
        report = museum.hand_in(f"object_number,filename\n{rows}9,named.jpg\n")

        first = submissions.refusals(museum.session, report.submission_id, limit=4)
        rest = submissions.refusals(museum.session, report.submission_id, after=first[-1].id)

        assert [row.row_number for row in [*first, *rest]] == [2, 3, 4, 5, 6, 0]


class TestDryRun:
    def test_says_what_would_happen_and_leaves_nothing(
        self, museum: Museum, account: Account, session: Session
    ) -> None:
        museum.put("a.jpg")
        museum.write("manifest.csv", b"object_number,filename\n1,a.jpg\n2,b.jpg\n")

        report = submissions.dry_run(
            session,
            museum.collection,
            account=account,
            source=f"s3://{museum.bucket.name}/{PREFIX}manifest.csv",
            store=museum.store,
        )

        assert (report.rows_read, report.accepted, report.refused[0].code) == (2, 1, "missing_file")
        for model in (Submission, Item, Refusal):
            assert session.scalar(select(func.count()).select_from(model)) == 0


@pytest.fixture
def waiting(museum: Museum, settings: Settings) -> SubmissionId:  # noqa: ARG001  (one database)
    """A committed hand-in that nobody has read yet."""
    museum.put("a.jpg")
    museum.write("manifest.csv", b"object_number,filename\n1,a.jpg\n")
    made = museum.submission()
    museum.session.commit()
    return SubmissionId(made.id)


def _now(submission_id: SubmissionId) -> Submission:
    with db.transaction() as session:
        found = submissions.get(session, submission_id)
        session.expunge_all()
        return found


class TestReceiveWaiting:
    def test_receives_each_hand_in_once(self, museum: Museum, waiting: SubmissionId) -> None:
        assert submissions.receive_waiting(museum.store)
        assert not submissions.receive_waiting(museum.store)

        received = _now(waiting)
        assert (received.state, received.rows_accepted) == (SubmissionState.RECEIVED, 1)
        assert (received.attempt, received.lease_token) == (1, None)

    def test_two_workers_share_the_work(self, museum: Museum, waiting: SubmissionId) -> None:
        done: list[bool] = []
        workers = [
            threading.Thread(target=lambda: done.append(submissions.receive_waiting(museum.store)))
            for _ in range(4)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

        assert sorted(done) == [False, False, False, True]
        assert _now(waiting).rows_accepted == 1

    def test_the_same_handed_in_twice_at_once_is_received_once(
        self, museum: Museum, waiting: SubmissionId
    ) -> None:
        twin = museum.submission()
        museum.session.commit()
        workers = [
            threading.Thread(target=submissions.receive_waiting, args=(museum.store,))
            for _ in range(2)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

        states = {_now(waiting).state, _now(SubmissionId(twin.id)).state}
        assert states == {SubmissionState.RECEIVED, SubmissionState.UNCHANGED}

    def test_a_store_that_is_away_puts_it_off(self, waiting: SubmissionId) -> None:
        assert submissions.receive_waiting(_Away())

        put_off = _now(waiting)
        assert (put_off.state, put_off.attempt) == (SubmissionState.RECEIVING, 1)
        assert put_off.lease_until is not None
        assert not submissions.receive_waiting(_Away())

    def test_a_store_that_stays_away_ends_it(
        self, waiting: SubmissionId, settings: Settings
    ) -> None:
        for _ in range(settings.max_attempts):
            submissions.receive_waiting(_Away())
            _let_leases_run_out()

        ended = _now(waiting)
        assert ended.state is SubmissionState.REFUSED
        assert ended.refusal == "it could not be read 4 times: the object store does not answer"

    def test_who_lost_the_lease_writes_nothing(self, museum: Museum, waiting: SubmissionId) -> None:
        zombie = _take(waiting)
        _let_leases_run_out()
        assert submissions.receive_waiting(museum.store)

        with pytest.raises(ConflictError):
            submissions.receive_leased(zombie, museum.store)

        with db.transaction() as session:
            assert session.scalar(select(func.count()).select_from(Item)) == 1

    def test_who_loses_the_lease_while_reading_writes_nothing(
        self, museum: Museum, waiting: SubmissionId
    ) -> None:
        mine = _take(waiting)

        with pytest.raises(ConflictError):
            submissions.receive_leased(mine, _Overtaken(museum.store))

        assert _now(waiting).rows_accepted == 1
        with db.transaction() as session:
            assert session.scalar(select(func.count()).select_from(Item)) == 1


class TestReceiveAtOnce:
    @pytest.mark.usefixtures("waiting")
    def test_tells_and_notes_how_many_pictures_were_looked_at(
        self, museum: Museum, account: Account
    ) -> None:
        museum.put("new/1.jpg", "new/2.jpg")
        museum.session.commit()
        heard: list[tuple[int, int]] = []

        report = submissions.receive_at_once(
            museum.store,
            collection_id=CollectionId(museum.collection.id),
            account_id=AccountId(account.id),
            source=f"s3://{museum.bucket.name}/paintings/new/",
            tell=lambda done, total: heard.append((done, total)),
        )

        noted = _now(report.submission_id)
        assert heard == [(2, 2)] == [(noted.pictures_looked_at, noted.pictures_to_look_at)]

    def test_leaves_nothing_for_a_worker_to_do(
        self,
        museum: Museum,
        waiting: SubmissionId,
        account: Account,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        museum.session.commit()
        rung: list[str] = []
        monkeypatch.setattr(queue, "ring", rung.append)
        source = _now(waiting).source

        report = submissions.receive_at_once(
            museum.store,
            collection_id=CollectionId(museum.collection.id),
            account_id=AccountId(account.id),
            source=source,
        )

        assert report.accepted == 1
        assert rung == [queue.RECEIVE, queue.PREPARE]
        assert submissions.receive_waiting(museum.store)
        assert _now(waiting).same_as_id == report.submission_id

    def test_says_that_the_hand_in_is_kept_when_the_store_is_away(
        self, waiting: SubmissionId, museum: Museum
    ) -> None:
        before = _now(waiting)

        with pytest.raises(UnavailableError, match="is kept and will be read"):
            submissions.receive_at_once(
                _Away(),
                collection_id=CollectionId(before.collection_id),
                account_id=AccountId(before.account_id),
                source=before.source,
            )

        (kept,) = submissions.latest(museum.session, within=None, limit=1)
        assert (kept.state, kept.attempt) == (SubmissionState.RECEIVING, 1)


class TestKeptAlive:
    def test_prolongs_the_lease_for_as_long_as_the_work_takes(
        self, waiting: SubmissionId, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        short = settings.model_copy(update={"lease_seconds": 0.6})
        monkeypatch.setattr(leases, "get_settings", lambda: short)
        lease = _take(waiting)
        first = _now(waiting).lease_until
        assert first is not None

        with leases.kept_alive(lease):
            threading.Event().wait(1.0)
            with db.transaction() as session:
                alive = session.scalar(
                    select(Submission.lease_until > func.now()).where(Submission.id == waiting)
                )

        assert alive


def _take(submission_id: SubmissionId) -> Lease:
    with db.transaction() as session:
        return leases.take(session, Submission, submission_id)


def _let_leases_run_out() -> None:
    with db.transaction() as session:
        session.execute(
            text(
                "UPDATE submission SET lease_token = NULL, lease_until = NULL"
                " WHERE state = 'receiving'"
            )
        )


class _Away(Store):
    """A store that does not answer."""

    def __init__(self) -> None:
        pass

    def head(self, bucket: str, key: str) -> ObjectVersion:  # noqa: ARG002  (nothing is asked)
        raise UnavailableError("the object store does not answer")


class _Overtaken(Store):
    """A store so slow that somebody else does the work meanwhile."""

    def __init__(self, store: Store) -> None:
        super().__init__(store._client)
        self._other = store

    def list(self, bucket: str, prefix: str) -> Iterator[ObjectVersion]:
        _let_leases_run_out()
        assert submissions.receive_waiting(self._other)
        return super().list(bucket, prefix)
