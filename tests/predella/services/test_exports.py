import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, BinaryIO

import pytest
import redis
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session
from typing_extensions import override

from predella import clock, db, ids, queue
from predella.errors import (
    ConflictError,
    InvalidError,
    MissingObjectError,
    NameTakenError,
    NotFoundError,
    SourceError,
    UnavailableError,
)
from predella.ids import AnalysisId, CollectionId, ExportId
from predella.models import (
    AuditEntry,
    Client,
    Collection,
    Decision,
    Export,
    ExportFormat,
    ExportLine,
    ExportState,
    ItemState,
    Sensitivity,
    Submission,
)
from predella.services import exports, gates, outgoing, reviews, watching
from predella.services.exporting import NothingToExportError
from predella.services.gates import Change
from predella.services.outgoing import Gate
from predella.settings import Settings
from predella.storage import Location, Store
from tests import factories
from tests.services import Bucket

pytestmark = pytest.mark.usefixtures("settings")


@pytest.fixture
def submission(session: Session) -> Submission:
    made = factories.submission(session, factories.collection(session, slug="paintings"))
    session.commit()
    return made


def _create(session: Session, of: Submission | Collection, **fields: Any) -> Export:
    id_ = of.id if isinstance(of, Collection) else of.collection_id
    made = exports.create(
        session,
        session.get_one(Collection, id_),
        account=factories.account(session),
        **{"format": ExportFormat.JSONL, **fields},
    )
    session.commit()
    return made


def _written(session: Session, of: Submission, store: Store, **fields: Any) -> Export:
    export = _create(session, of, **fields)
    assert exports.write_waiting(store)
    session.expire_all()
    return exports.get(session, ExportId(export.id))


def _content(export: Export, store: Store) -> bytes:
    place = Location.parse(export.destination)
    return store.read(place.bucket, place.key)


def _numbers(export: Export, store: Store) -> list[str]:
    return [json.loads(line)["object"]["number"] for line in _content(export, store).splitlines()]


class TestCreate:
    def test_names_a_file_of_its_own_and_rings_once_committed(
        self, submission: Submission, settings: Settings, redis_url: str
    ) -> None:
        with db.transaction() as own:
            export = exports.create(
                own,
                own.get_one(Collection, submission.collection_id),
                account=factories.account(own),
                format=ExportFormat.LIDO,
            )
            destination, id_ = export.destination, export.id
            with redis.Redis.from_url(redis_url) as client:
                assert client.llen(queue.CPU) == 0

        assert destination == f"s3://{settings.bucket}/exports/paintings/{id_}.xml"
        with redis.Redis.from_url(redis_url) as client:
            assert client.llen(queue.CPU) == 1

    @pytest.mark.parametrize(
        ("place", "error"),
        [
            ("s3://somebody-elses/exports/a.xml", InvalidError),
            ("s3://{bucket}/submissions/a.xml", InvalidError),
            ("s3://{bucket}/exports/", InvalidError),
            ("s3://{bucket}/exports/../prepared/a.xml", InvalidError),
            ("s3://{bucket}/exports/a\x00.xml", InvalidError),
            ("/home/me/a.xml", SourceError),
        ],
    )
    def test_writes_nowhere_but_below_exports_in_our_bucket(
        self,
        session: Session,
        submission: Submission,
        settings: Settings,
        place: str,
        error: type[InvalidError],
    ) -> None:
        with pytest.raises(error):
            _create(session, submission, destination=place.format(bucket=settings.bucket))

    def test_never_writes_over_another_export(
        self, session: Session, submission: Submission, settings: Settings
    ) -> None:
        place = f"s3://{settings.bucket}/exports/latest.jsonl"
        _create(session, submission, destination=place)

        with pytest.raises(NameTakenError):
            _create(session, submission, destination=place)

    def test_may_try_again_where_one_failed(
        self, session: Session, submission: Submission, settings: Settings, s3: Bucket
    ) -> None:
        place = f"s3://{settings.bucket}/exports/latest.jsonl"
        assert _written(session, submission, s3.store, destination=place).error

        assert _create(session, submission, destination=place).state is ExportState.WRITING


class TestWrite:
    def test_remembers_the_file_line_by_line(
        self, session: Session, submission: Submission, s3: Bucket
    ) -> None:
        items = [
            factories.approved(session, submission, object_number=number, text=f"Form {number}.")
            for number in ("SK-2", "SK-1/Ø", "SK-3")
        ]

        export = _written(session, submission, s3.store)

        content = _content(export, s3.store)
        assert export.state is ExportState.WRITTEN
        assert export.sha256 == hashlib.sha256(content).digest()
        assert (export.size, export.line_count) == (len(content), 3)
        assert (export.lease_token, export.error) == (None, None)
        assert export.written_at is not None
        kept = exports.lines(session, ExportId(export.id))
        assert [line.number for line in kept] == [1, 2, 3]
        assert [line.object_number for line in kept] == ["SK-1/Ø", "SK-2", "SK-3"]
        assert {line.line.item_id for line in kept} == {item.id for item in items}
        for line, written in zip(kept, content.splitlines(keepends=True), strict=True):
            assert line.line.sha256 == hashlib.sha256(written).digest()

    def test_writes_what_was_approved_and_nothing_else(
        self, session: Session, submission: Submission, s3: Bucket
    ) -> None:
        curator = factories.account(session)
        factories.approved(session, submission, object_number="approved")
        factories.analysis(session, factories.item(session, submission))
        factories.review(
            session,
            factories.analysis(session, factories.item(session, submission)),
            Decision.REJECTED,
        )
        undone = factories.approved(session, submission)
        assert undone.analysis_id
        reviews.undo(session, AnalysisId(undone.analysis_id), account=curator, client=Client.CLI)
        factories.approved(session, submission, is_primary=False)
        factories.item(session, submission, object_number="approved", is_primary=False)
        factories.approved(session)

        export = _written(session, submission, s3.store)

        assert _numbers(export, s3.store) == ["approved"]

    def test_tells_an_amended_wording_from_the_models_own(
        self, session: Session, submission: Submission, s3: Bucket
    ) -> None:
        curator = factories.account(session)
        for number, steps in {"1": "a", "2": "au", "3": ""}.items():
            made = factories.analysis(
                session, factories.item(session, submission, object_number=number)
            )
            id_ = AnalysisId(made.id)
            if "a" in steps:
                reviews.amend(session, id_, text="Amended.", account=curator, seen=0)
            if "u" in steps:
                reviews.undo(session, id_, account=curator, client=Client.CLI)
            factories.review(session, made)

        export = _written(session, submission, s3.store)

        entries = [json.loads(line) for line in _content(export, s3.store).splitlines()]
        assert [
            (entry["wording"]["text"], entry["disclosure"]["human_involvement"])
            for entry in entries
        ] == [
            ("Amended.", "ai_edited"),
            (factories.TEXT, "ai_reviewed"),
            (factories.TEXT, "ai_reviewed"),
        ]

    def test_says_whose_words_they_are(
        self, session: Session, submission: Submission, s3: Bucket
    ) -> None:
        made = factories.analysis(
            session,
            factories.item(session, submission, extra={"Room": "2.8"}),
            by=factories.release(session, notice="Only a demonstration.", adapter_sha256="cd" * 32),
        )
        reviewer = factories.account(session)
        factories.review(session, made, by=reviewer)

        (line,) = _content(_written(session, submission, s3.store), s3.store).splitlines()

        entry = json.loads(line)
        assert entry["disclosure"]["text"].startswith("Only a demonstration.")
        assert entry["review"]["reviewer"] == reviewer.display_name
        assert entry["release"]["adapter_sha256"] == "cd" * 32
        assert entry["object"]["extra"] == {"Room": "2.8"}
        assert entry["institution"]["name"] == "Example Museum"

    def test_gives_every_object_that_shares_a_picture_its_line(
        self, session: Session, submission: Submission, s3: Bucket
    ) -> None:
        made = factories.analysis(
            session, factories.item(session, submission, object_number="first")
        )
        factories.share(session, made, factories.item(session, submission, object_number="second"))
        factories.review(session, made)

        export = _written(session, submission, s3.store)

        assert _numbers(export, s3.store) == ["first", "second"]

    def test_writes_one_line_for_an_object_handed_in_twice(
        self, session: Session, submission: Submission, s3: Bucket
    ) -> None:
        factories.approved(session, submission, object_number="1", text="Old.")
        again = factories.submission(session, session.get_one(Collection, submission.collection_id))
        newer = factories.approved(session, again, object_number="1", text="New.")

        export = _written(session, submission, s3.store)

        (line,) = exports.lines(session, ExportId(export.id))
        assert line.line.item_id == newer.id

    def test_of_nothing_fails_in_words(
        self, session: Session, submission: Submission, s3: Bucket
    ) -> None:
        factories.approved(session, submission, rights_work=None)

        export = _written(session, submission, s3.store)

        assert export.state is ExportState.FAILED
        assert export.error == str(NothingToExportError("paintings", 1))


class TestDepartures:
    def test_are_read_from_a_cursor_on_the_server_as_they_are_wanted(
        self, session: Session, submission: Submission
    ) -> None:
        for number in range(3):
            factories.approved(session, submission, object_number=f"{number}")
        leaving = outgoing.departures(
            session, session.get_one(Collection, submission.collection_id)
        )

        first = next(leaving)
        open_cursors = session.scalar(text("SELECT count(*) FROM pg_cursors"))

        assert open_cursors == 1
        assert [one.entry.object.number for one in (first, *leaving)] == ["0", "1", "2"]


class TestGates:
    @pytest.mark.parametrize(
        ("gate", "fields"),
        [
            (Gate.SENSITIVE, {"sensitivity": Sensitivity.REVIEW}),
            (Gate.AI_DENIED, {"ai_processing": False}),
            (Gate.DENIED, {"exportable": False}),
            (Gate.EMBARGOED, {"embargo_until": clock.now().date() + timedelta(days=2)}),
            (Gate.RIGHTS_UNKNOWN, {"rights_work": None}),
        ],
    )
    def test_keep_back_what_may_not_leave_and_count_it(
        self,
        session: Session,
        submission: Submission,
        s3: Bucket,
        gate: Gate,
        fields: dict[str, Any],
    ) -> None:
        factories.approved(session, submission, **fields)
        factories.approved(session, submission, object_number="free")

        export = _written(session, submission, s3.store)

        assert _numbers(export, s3.store) == ["free"]
        assert outgoing.kept_back(session, CollectionId(submission.collection_id)) == {gate: 1}
        entry = session.scalars(select(AuditEntry).filter_by(action="gates.kept_back")).one()
        assert (entry.subject_id, entry.details) == (str(export.id), {gate.value: 1})

    def test_open_when_the_embargo_ends(
        self, session: Session, submission: Submission, s3: Bucket
    ) -> None:
        factories.approved(session, submission, embargo_until=clock.now().date())

        assert _written(session, submission, s3.store).line_count == 1

    def test_the_newest_row_of_an_object_closes_them_for_its_older_text(
        self, session: Session, submission: Submission, s3: Bucket
    ) -> None:
        factories.approved(session, submission, object_number="secret")
        factories.approved(session, submission, object_number="free")
        factories.item(session, factories.submission(session), object_number="free")
        again = factories.submission(session, session.get_one(Collection, submission.collection_id))
        factories.item(
            session,
            again,
            object_number="secret",
            sensitivity=Sensitivity.RESTRICTED,
            state=ItemState.WITHHELD,
        )

        export = _written(session, submission, s3.store)

        assert _numbers(export, s3.store) == ["free"]

    def test_the_newest_row_opens_them_for_its_older_text_too(
        self, session: Session, submission: Submission, s3: Bucket
    ) -> None:
        old = factories.approved(session, submission, rights_work=None)
        again = factories.submission(session, session.get_one(Collection, submission.collection_id))
        factories.item(session, again, object_number=old.object_number)

        export = _written(session, submission, s3.store)

        assert _numbers(export, s3.store) == [old.object_number]


class _Meddled(Store):
    """The real store, but something happens while a file is uploaded."""

    def __init__(self, bucket: Bucket, meddle: Callable[[int], None]) -> None:
        super().__init__(bucket.client)
        self._meddle, self._puts = meddle, 0

    @override
    @contextmanager
    def writing(self, bucket: str, key: str, *, media_type: str) -> Iterator[BinaryIO]:
        self._puts += 1
        with super().writing(bucket, key, media_type=media_type) as out:
            yield out
        self._meddle(self._puts)


def _undo(item_analysis: object) -> None:
    with db.transaction() as own:
        by = factories.account(own)
        reviews.undo(own, AnalysisId(item_analysis), account=by, client=Client.API)  # type: ignore[arg-type]  # never None here


def _away(_puts: int) -> None:
    raise UnavailableError("the object store does not answer")


class TestSomethingHappensMeanwhile:
    def test_an_undone_approval_is_not_in_the_file_in_the_end(
        self, session: Session, submission: Submission, s3: Bucket
    ) -> None:
        factories.approved(session, submission, object_number="stays")
        undone = factories.approved(session, submission, object_number="undone").analysis_id
        store = _Meddled(s3, lambda puts: _undo(undone) if puts == 1 else None)

        export = _written(session, submission, store)

        assert (export.state, export.line_count) == (ExportState.WRITTEN, 1)
        assert _numbers(export, s3.store) == ["stays"]

    @pytest.mark.parametrize(
        "to", [Change(sensitivity=Sensitivity.RESTRICTED), Change(exportable=False)]
    )
    def test_a_gate_that_closed_is_obeyed_in_the_end(
        self, session: Session, submission: Submission, s3: Bucket, to: Change
    ) -> None:
        factories.approved(session, submission, object_number="stays")
        factories.approved(session, submission, object_number="closed")
        collection_id = CollectionId(submission.collection_id)

        def close(puts: int) -> None:
            if puts == 1:
                with db.transaction() as own:
                    by = factories.account(own)
                    gates.change(own, collection_id, "closed", to, account=by, reason="asked for")

        export = _written(session, submission, _Meddled(s3, close))

        assert (export.state, export.line_count) == (ExportState.WRITTEN, 1)
        assert _numbers(export, s3.store) == ["stays"]

    def test_undone_again_and_again_it_fails_and_leaves_no_file(
        self, session: Session, submission: Submission, s3: Bucket
    ) -> None:
        made = [factories.approved(session, submission).analysis_id for _ in range(4)]
        store = _Meddled(s3, lambda puts: _undo(made[puts]))

        export = _written(session, submission, store)

        assert export.state is ExportState.FAILED
        assert "the approval was undone" in (export.error or "")
        assert str(made[3]) in (export.error or "")
        assert list(s3.store.list(s3.name, "exports/")) == []
        assert session.scalar(select(func.count()).select_from(ExportLine)) == 0

    def test_a_store_that_is_away_puts_it_off(
        self, session: Session, submission: Submission, s3: Bucket
    ) -> None:
        factories.approved(session, submission)

        export = _written(session, submission, _Meddled(s3, _away))

        assert (export.state, export.attempt) == (ExportState.WRITING, 1)
        assert export.lease_until is not None
        assert not exports.write_waiting(s3.store)

    def test_a_store_that_stays_away_makes_it_fail_in_words(
        self, session: Session, submission: Submission, s3: Bucket, settings: Settings
    ) -> None:
        factories.approved(session, submission)
        export = _create(session, submission)
        export.attempt = settings.max_attempts - 1
        session.commit()

        exports.write_waiting(_Meddled(s3, _away))

        session.refresh(export)
        assert export.state is ExportState.FAILED
        assert export.error == (
            f"it could not be written {settings.max_attempts} times: "
            "the object store does not answer"
        )

    def test_whoever_lost_the_lease_remembers_nothing(
        self, session: Session, submission: Submission, s3: Bucket
    ) -> None:
        factories.approved(session, submission)
        export = _create(session, submission)
        other = ids.new()

        def take_over(_puts: int) -> None:
            with db.transaction() as own:
                own.execute(update(Export).values(lease_token=other))

        with db.transaction() as own:
            lease = exports.take(own, own.get_one(Export, export.id))
        with pytest.raises(ConflictError, match="other hands"):
            exports.write_leased(lease, _Meddled(s3, take_over))

        session.refresh(export)
        assert (export.state, export.lease_token) == (ExportState.WRITING, other)
        assert exports.lines(session, ExportId(export.id)) == []

    def test_two_workers_write_it_once(
        self, session: Session, submission: Submission, s3: Bucket
    ) -> None:
        factories.approved(session, submission)
        export = _create(session, submission)
        results: list[bool] = []
        together = threading.Barrier(2)

        def work() -> None:
            together.wait()
            results.append(exports.write_waiting(s3.store))

        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        session.refresh(export)
        assert sorted(results) == [False, True]
        assert (export.state, export.attempt) == (ExportState.WRITTEN, 1)

    def test_what_has_left_stays_remembered(
        self, session: Session, submission: Submission, s3: Bucket
    ) -> None:
        factories.approved(session, submission)
        export = ExportId(_written(session, submission, s3.store).id)
        (line,) = exports.lines(session, export)

        _undo(line.line.analysis_id)

        assert exports.lines(session, export) == [line]
        assert _written(session, submission, s3.store).state is ExportState.FAILED


class TestProgress:
    def test_is_noted_while_the_file_is_written(
        self,
        session: Session,
        submission: Submission,
        s3: Bucket,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(watching, "_EVERY", 0)
        for _ in range(3):
            factories.approved(session, submission)
        export = _create(session, submission)
        heard, noted = [], []

        def tell(done: int, total: int) -> None:
            heard.append((done, total))
            session.refresh(export)
            noted.append((export.texts_done, export.texts_total))

        with db.transaction() as own:
            lease = exports.take(own, own.get_one(Export, export.id))
        exports.write_leased(lease, s3.store, tell=tell)

        assert heard == noted
        assert heard == [(1, 3), (2, 3), (3, 3), (3, 3)]

    def test_counts_what_a_delta_looks_at(
        self, session: Session, submission: Submission, s3: Bucket
    ) -> None:
        factories.approved(session, submission)
        first = _written(session, submission, s3.store)

        delta = _written(session, submission, s3.store, since=first.id)

        assert (delta.line_count, delta.texts_done, delta.texts_total) == (0, 1, 1)


class TestOpenFile:
    def test_streams_what_was_written(
        self, session: Session, submission: Submission, s3: Bucket
    ) -> None:
        factories.approved(session, submission)
        export = _written(session, submission, s3.store)

        with exports.open_file(export, s3.store) as file:
            assert hashlib.sha256(file.read()).digest() == export.sha256

    def test_has_nothing_before_it_is_written(
        self, session: Session, submission: Submission, s3: Bucket
    ) -> None:
        with pytest.raises(ConflictError, match="being written"):
            exports.open_file(_create(session, submission), s3.store)

    def test_says_when_somebody_removed_it(
        self, session: Session, submission: Submission, s3: Bucket
    ) -> None:
        factories.approved(session, submission)
        export = _written(session, submission, s3.store)
        place = Location.parse(export.destination)
        s3.store.delete(place.bucket, place.key)

        with pytest.raises(MissingObjectError):
            exports.open_file(export, s3.store)


class TestListed:
    def test_turns_pages_in_order(self, session: Session, submission: Submission) -> None:
        made = [_create(session, submission).id for _ in range(3)]
        _create(session, factories.collection(session))
        of = CollectionId(submission.collection_id)

        first = exports.listed(session, within=None, collection_id=of, limit=2)
        rest = exports.listed(session, within=None, collection_id=of, after=first[-1].id, limit=2)

        assert [export.id for export in (*first, *rest)] == made
        assert first[0].collection.slug == "paintings"

    def test_knows_only_what_exists(self, session: Session) -> None:
        with pytest.raises(NotFoundError):
            exports.get(session, ExportId(ids.new()))


class TestLines:
    def test_turns_pages_in_order(
        self, session: Session, submission: Submission, s3: Bucket
    ) -> None:
        for _ in range(3):
            factories.approved(session, submission)
        export = ExportId(_written(session, submission, s3.store).id)

        first = exports.lines(session, export, limit=2)
        rest = exports.lines(session, export, after=first[-1].line.number, limit=2)

        assert [line.number for line in (*first, *rest)] == [1, 2, 3]
