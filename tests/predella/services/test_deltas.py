from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from predella import clock, db, ids
from predella.errors import InvalidError, NotFoundError
from predella.formats.checking import Schemas
from predella.formats.profiles import ProfileError
from predella.ids import AnalysisId, CollectionId, ExportId, SubmissionId
from predella.models import (
    Analysis,
    Client,
    Collection,
    Export,
    ExportFormat,
    Item,
    Sensitivity,
    Submission,
)
from predella.services import deltas, exports, gates, reviews, withdrawals
from predella.services.deltas import ForeignExportError, NoDeltaError, NoSuchMomentError
from predella.services.exports import NoAddressesError
from predella.services.gates import Change
from predella.settings import get_settings
from predella.storage import Store
from tests import factories
from tests.predella.formats import judging
from tests.predella.services.exporting import content, file, said, written
from tests.services import Bucket

pytestmark = pytest.mark.usefixtures("settings")

IN_COPYRIGHT = "http://rightsstatements.org/vocab/InC/1.0/"
WITHDRAWING = [form for form in ExportFormat if form is not ExportFormat.PAINTINGFORM]


@pytest.fixture
def submission(session: Session) -> Submission:
    made = factories.submission(session, factories.collection(session, slug="paintings"))
    session.commit()
    return made


@pytest.fixture
def of(submission: Submission) -> CollectionId:
    return CollectionId(submission.collection_id)


@pytest.fixture
def store(s3: Bucket) -> Store:
    return s3.store


def _undo(session: Session, item: Item) -> None:
    assert item.analysis_id
    by = factories.account(session)
    reviews.undo(session, AnalysisId(item.analysis_id), account=by, client=Client.CLI)


def _approve_anew(session: Session, item: Item, words: str) -> None:
    assert item.analysis_id
    by, id_ = factories.account(session), AnalysisId(item.analysis_id)
    reviews.amend(session, id_, text=words, account=by, seen=0)
    factories.review(session, session.get_one(Analysis, id_))


def _close(session: Session, of: CollectionId, number: str, to: Change) -> None:
    by = factories.account(session)
    gates.change(session, of, number, to, account=by, reason="a letter of the family")


class TestDelta:
    def test_of_nothing_new_is_empty_and_no_error(
        self, session: Session, submission: Submission, of: CollectionId, store: Store
    ) -> None:
        factories.approved(session, submission)
        whole = written(session, of, store)

        delta = written(session, of, store, since=whole.id)

        assert (delta.line_count, content(delta, store)) == (0, b"")

    def test_has_what_is_new_and_what_is_different(
        self, session: Session, submission: Submission, of: CollectionId, store: Store
    ) -> None:
        factories.approved(session, submission, object_number="same")
        other = factories.approved(session, submission, object_number="amended")
        moved = factories.approved(session, submission, object_number="gate")
        whole = written(session, of, store)
        _undo(session, other)
        _approve_anew(session, other, "A high horizon.")
        factories.approved(session, submission, object_number="new", text="A new one.")
        _close(session, of, moved.object_number, Change(rights_work=IN_COPYRIGHT))

        delta = written(session, of, store, since=whole.id)

        assert said(delta, store) == {
            "amended": "A high horizon.",
            "gate": factories.TEXT,
            "new": "A new one.",
        }
        assert delta.withdrawn_count == 0
        whole_again = written(session, of, store)
        assert whole_again.line_count == 4

    def test_withdraws_what_was_undone_once(
        self, session: Session, submission: Submission, of: CollectionId, store: Store
    ) -> None:
        factories.approved(session, submission, object_number="stays")
        undone = factories.approved(session, submission, object_number="undone")
        whole = written(session, of, store)
        _undo(session, undone)

        delta = written(session, of, store, since=whole.id)
        after = written(session, of, store, since=delta.id)
        again = written(session, of, store, since=whole.id)

        assert said(delta, store) == {"undone": None}
        assert (delta.line_count, delta.withdrawn_count) == (1, 1)
        assert said(after, store) == {}
        assert said(again, store) == {"undone": None}
        assert b"A low horizon" not in content(delta, store)

    @pytest.mark.parametrize(
        "to",
        [
            Change(sensitivity=Sensitivity.RESTRICTED),
            Change(sensitivity=Sensitivity.REVIEW),
            Change(ai_processing=False),
            Change(exportable=False),
            Change(embargo_until=clock.now().date() + timedelta(days=3)),
            Change(clear=("rights_work",)),
        ],
    )
    def test_withdraws_what_a_gate_keeps_back_and_brings_it_again(
        self,
        session: Session,
        submission: Submission,
        of: CollectionId,
        store: Store,
        to: Change,
    ) -> None:
        factories.approved(session, submission, object_number="stays")
        factories.approved(session, submission, object_number="closed")
        whole = written(session, of, store)
        before = gates.get(session, of, "closed")
        opened = Change(
            sensitivity=before.sensitivity,
            ai_processing=before.ai_processing,
            exportable=before.exportable,
            rights_work=before.rights_work,
            clear=("embargo_until",),
        )
        _close(session, of, "closed", to)

        closed = written(session, of, store, since=whole.id)
        _close(session, of, "closed", opened)
        reopened = written(session, of, store, since=closed.id)

        assert said(closed, store) == {"closed": None}
        assert said(reopened, store) == {"closed": factories.TEXT}

    def test_withdraws_what_was_handed_in_and_taken_back(
        self, session: Session, submission: Submission, of: CollectionId, store: Store
    ) -> None:
        factories.approved(session, submission, object_number="stays")
        collection = session.get_one(Collection, of)
        other = factories.submission(session, collection)
        factories.approved(session, other, object_number="taken back")
        whole = written(session, of, store)
        by, id_ = factories.account(session), SubmissionId(other.id)
        withdrawals.withdraw(session, id_, account=by, reason="the wrong folder")

        delta = written(session, of, store, since=whole.id)

        assert said(delta, store) == {"taken back": None}

    def test_never_leaves_a_receiver_with_what_a_later_export_brought(
        self, session: Session, submission: Submission, of: CollectionId, store: Store
    ) -> None:
        factories.approved(session, submission, object_number="there and back")
        factories.approved(session, submission, object_number="stays")
        first = written(session, of, store)
        _close(session, of, "there and back", Change(rights_work=IN_COPYRIGHT))
        second = written(session, of, store, since=first.id)
        _close(session, of, "there and back", Change(rights_work=factories.PUBLIC_DOMAIN))

        third = written(session, of, store, since=first.id)

        assert content(second, store) != content(third, store)
        assert said(third, store) == {"there and back": factories.TEXT}
        assert content(third, store) in content(first, store)

    def test_counts_from_a_day_too(
        self, session: Session, submission: Submission, of: CollectionId, store: Store
    ) -> None:
        factories.approved(session, submission, object_number="1")
        whole = written(session, of, store)
        assert whole.written_at

        before = written(session, of, store, since=whole.written_at - timedelta(seconds=1))
        after = written(session, of, store, since=before.written_at)

        assert (before.line_count, after.line_count) == (1, 0)

    def test_keeps_formats_and_collections_apart(
        self, session: Session, submission: Submission, of: CollectionId, store: Store
    ) -> None:
        undone = factories.approved(session, submission, object_number="undone")
        factories.approved(session, submission, object_number="stays")
        written(session, of, store, ExportFormat.CSV)
        _undo(session, undone)
        whole = written(session, of, store)

        delta = written(session, of, store, since=whole.id)

        assert said(delta, store) == {}

    @pytest.mark.parametrize("form", WITHDRAWING)
    def test_is_what_a_catalog_accepts(
        self,
        session: Session,
        submission: Submission,
        of: CollectionId,
        store: Store,
        tmp_path: Path,
        form: ExportFormat,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        _with_address(monkeypatch)
        kind = "alt-text/1" if form is ExportFormat.COLLECTIONSPACE_MEDIA else "formal-analysis/1"
        items = [_approved(session, submission, f"SK {number} ]]>;|", kind) for number in range(3)]
        whole = written(session, of, store, form)
        _undo(session, items[0])
        _undo(session, items[1])
        _approve_anew(session, items[1], "Amended.")

        delta = written(session, of, store, form, since=whole.id)

        path = file(delta, store, tmp_path)
        schemas = Schemas(Path(judging.SCHEMAS)) if judging.SCHEMAS else None
        assert judging.problems(path, schemas) == []
        assert (delta.line_count, delta.withdrawn_count) == (2, 1)
        assert b"Amended." in path.read_bytes()
        assert b"A low horizon" not in path.read_bytes()


BY_OBJECT = [ExportFormat.LIDO, ExportFormat.LINKED_ART, ExportFormat.IIIF, ExportFormat.XMP]
FORMAL, ALT = b"A formal analysis.", b"A short text."


class TestObjects:
    """Of an object with a formal analysis and an alternative text, in one record."""

    @pytest.fixture(autouse=True)
    def _address(self, monkeypatch: pytest.MonkeyPatch, settings: object) -> None:
        assert settings
        _with_address(monkeypatch)

    @pytest.fixture
    def both(self, session: Session, submission: Submission, of: CollectionId) -> list[Item]:
        factories.approved(session, submission, object_number="other", text="Another.")
        again = factories.submission(session, session.get_one(Collection, of))
        return [
            _approved(session, submission, "A", "formal-analysis/1", FORMAL.decode(), key="A.jpg"),
            _approved(session, again, "A", "alt-text/1", ALT.decode(), key="A.jpg"),
        ]

    @pytest.fixture(params=BY_OBJECT)
    def form(self, request: pytest.FixtureRequest) -> ExportFormat:
        form: ExportFormat = request.param
        return form

    def test_of_nothing_new_have_no_record(
        self, session: Session, of: CollectionId, store: Store, form: ExportFormat, both: list[Item]
    ) -> None:
        whole = written(session, of, store, form)

        delta = written(session, of, store, form, since=whole.id)

        assert (whole.line_count, delta.line_count) == (len(both) + 1, 0)

    def test_that_lose_one_of_two_texts_are_changed_and_soon_known(
        self,
        session: Session,
        of: CollectionId,
        store: Store,
        form: ExportFormat,
        both: list[Item],
        tmp_path: Path,
    ) -> None:
        whole = written(session, of, store, form)
        _undo(session, both[0])

        delta = written(session, of, store, form, since=whole.id)
        after = written(session, of, store, form, since=delta.id)
        quiet = written(session, of, store, form, since=after.id)

        lines = exports.lines(session, ExportId(delta.id))
        assert [(line.object_number, line.is_withdrawn) for line in lines] == [
            ("A", False),
            ("A", True),
        ]
        assert lines[0].sha256 == lines[1].sha256
        assert judging.problems(file(delta, store, tmp_path)) == []
        assert (FORMAL in content(delta, store), ALT in content(delta, store)) == (False, True)
        assert b"Another." not in content(delta, store)
        assert FORMAL not in content(after, store)
        assert quiet.line_count == 0

    def test_that_lose_all_their_texts_are_withdrawn_once(
        self,
        session: Session,
        of: CollectionId,
        store: Store,
        form: ExportFormat,
        both: list[Item],
        tmp_path: Path,
    ) -> None:
        whole = written(session, of, store, form)
        for item in both:
            _undo(session, item)

        delta = written(session, of, store, form, since=whole.id)
        quiet = written(session, of, store, form, since=delta.id)

        assert (delta.line_count, delta.withdrawn_count, quiet.line_count) == (2, 2, 0)
        assert judging.problems(file(delta, store, tmp_path)) == []
        assert FORMAL not in content(delta, store)
        assert ALT not in content(delta, store)
        assert b"was withdrawn on" in content(delta, store)

    def test_of_which_one_text_comes_back_have_both_again(
        self, session: Session, of: CollectionId, store: Store, form: ExportFormat, both: list[Item]
    ) -> None:
        whole = written(session, of, store, form)
        _undo(session, both[1])
        without = written(session, of, store, form, since=whole.id)
        factories.review(session, session.get_one(Analysis, both[1].analysis_id))

        back = written(session, of, store, form, since=without.id)

        assert (back.line_count, back.withdrawn_count) == (2, 0)
        assert FORMAL in content(back, store)
        assert ALT in content(back, store)

    def test_that_get_a_further_text_are_one_changed_record(
        self, session: Session, of: CollectionId, store: Store, form: ExportFormat, both: list[Item]
    ) -> None:
        whole = written(session, of, store, form)
        again = factories.submission(session, session.get_one(Collection, of))
        dutch = {"language": "nl", "key": both[0].key}
        _approved(session, again, "A", "alt-text/1", "Een korte tekst.", **dutch)

        delta = written(session, of, store, form, since=whole.id)

        assert {line.object_number for line in exports.lines(session, ExportId(delta.id))} == {"A"}
        assert delta.line_count == 3
        for said_there in (FORMAL, ALT, b"Een korte tekst."):
            assert said_there in content(delta, store)

    def test_stand_once_each_whatever_their_numbers(
        self, session: Session, submission: Submission, of: CollectionId, store: Store
    ) -> None:
        numbers = ["b", "B", "á", "a b", "a-b", "ab", "10", "9", "Ω", "\U0001f3a8"]
        items = [
            [_approved(session, submission, number, prompt) for number in numbers]
            for prompt in ("formal-analysis/1", "alt-text/1")
        ]
        whole = written(session, of, store, ExportFormat.LIDO)
        for item in items[1]:
            _undo(session, item)

        delta = written(session, of, store, ExportFormat.LIDO, since=whole.id)

        assert content(delta, store).count(b"<lido:lidoRecID") == len(numbers)
        told = [line.object_number for line in exports.lines(session, ExportId(delta.id))]
        assert told == [number for number in sorted(numbers) for _ in items]

    def test_in_one_picture_have_one_sidecar_and_go_together(
        self, session: Session, submission: Submission, of: CollectionId, store: Store
    ) -> None:
        first = factories.item(session, submission, object_number="1", key="both.jpg")
        second = factories.item(session, submission, object_number="2", key="both.jpg")
        made = factories.analysis(session, first, text=FORMAL.decode())
        factories.share(session, made, second)
        factories.review(session, made)
        whole = written(session, of, store, ExportFormat.XMP)
        restricted = Change(sensitivity=Sensitivity.RESTRICTED)

        _close(session, of, "2", restricted)
        half = written(session, of, store, ExportFormat.XMP, since=whole.id)
        _close(session, of, "1", restricted)
        none = written(session, of, store, ExportFormat.XMP, since=half.id)

        sidecars = [content(export, store).count(b"<x:xmpmeta") for export in (whole, half, none)]
        assert sidecars == [1, 1, 0]
        assert FORMAL not in content(half, store)
        assert [(one.line_count, one.withdrawn_count) for one in (whole, half, none)] == [
            (2, 0),
            (2, 2),
            (0, 0),
        ]


def _with_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREDELLA_PUBLIC_URL", "https://predella.example.org")
    get_settings.cache_clear()


def _approved(
    session: Session,
    submission: Submission,
    number: str,
    prompt: str,
    text: str = factories.TEXT,
    **fields: str,
) -> Item:
    item = factories.item(session, submission, object_number=number, **fields)
    by = factories.release(session, prompt_id=prompt)
    made = factories.analysis(session, item, by=by, text=text)
    factories.review(session, made)
    return item


class TestTombstones:
    def test_are_listed_as_they_stand_in_the_file(
        self, session: Session, submission: Submission, of: CollectionId, store: Store
    ) -> None:
        undone = factories.approved(session, submission, object_number="a")
        whole = written(session, of, store)
        _undo(session, undone)
        factories.approved(session, submission, object_number="b")
        delta = ExportId(written(session, of, store, since=whole.id).id)

        every = exports.lines(session, delta)
        paged = [
            *exports.lines(session, delta, limit=1),
            *exports.lines(session, delta, after=1, limit=1),
        ]

        assert [(one.number, one.object_number, one.is_withdrawn) for one in every] == [
            (1, "a", True),
            (2, "b", False),
        ]
        assert paged == every

    @pytest.mark.parametrize("change", ["UPDATE export_tombstone SET number = 7", "DELETE FROM"])
    def test_are_kept_for_ever(
        self,
        session: Session,
        submission: Submission,
        of: CollectionId,
        store: Store,
        change: str,
    ) -> None:
        undone = factories.approved(session, submission)
        whole = written(session, of, store)
        _undo(session, undone)
        written(session, of, store, since=whole.id)

        with pytest.raises(DatabaseError), db.transaction() as own:
            own.execute(text(change if "SET" in change else f"{change} export_tombstone"))


class TestRefusals:
    def _ask(self, session: Session, of: CollectionId, **fields: Any) -> Export:
        return exports.create(
            session,
            session.get_one(Collection, of),
            account=factories.account(session),
            **{"format": ExportFormat.JSONL, **fields},
        )

    @pytest.mark.parametrize("form", [ExportFormat.IIIF, ExportFormat.LINKED_ART])
    def test_of_formats_that_need_an_address(
        self, session: Session, of: CollectionId, form: ExportFormat
    ) -> None:
        with pytest.raises(NoAddressesError, match="PREDELLA_PUBLIC_URL"):
            self._ask(session, of, format=form)

    def test_of_a_delta_in_training_records(self, session: Session, of: CollectionId) -> None:
        since = datetime(2026, 1, 1, tzinfo=UTC)

        with pytest.raises(NoDeltaError):
            self._ask(session, of, format=ExportFormat.PAINTINGFORM, since=since)

    @pytest.mark.parametrize(
        "since",
        [
            datetime.min.replace(tzinfo=timezone(timedelta(hours=14))),
            datetime.max.replace(tzinfo=timezone(-timedelta(hours=14))),
            clock.now() + timedelta(days=1),
        ],
    )
    def test_of_a_moment_that_is_none(
        self, session: Session, of: CollectionId, since: datetime
    ) -> None:
        with pytest.raises(NoSuchMomentError):
            self._ask(session, of, since=since)

    def test_of_an_export_that_is_not_like_it(
        self, session: Session, submission: Submission, of: CollectionId, store: Store
    ) -> None:
        factories.approved(session, submission)
        csv = written(session, of, store, ExportFormat.CSV)
        waiting = self._ask(session, of)
        elsewhere = factories.export(session)

        for other in (csv, waiting):
            with pytest.raises(ForeignExportError):
                self._ask(session, of, since=other.id)
        for unknown in (elsewhere.id, ids.new()):
            with pytest.raises(NotFoundError):
                self._ask(session, of, since=unknown)

    def test_of_a_profile_that_hides_who_wrote(self, session: Session, of: CollectionId) -> None:
        with pytest.raises(ProfileError, match="disclosure"):
            self._ask(session, of, format=ExportFormat.CSV, profile="columns: {Text: text}")

    def test_of_a_profile_for_another_format(self, session: Session, of: CollectionId) -> None:
        profile = "columns: {Text: text, Origin: disclosure}"

        with pytest.raises(InvalidError, match="csv"):
            self._ask(session, of, format=ExportFormat.LIDO, profile=profile)


class TestNewest:
    def test_is_the_last_one_written_in_this_format(
        self, session: Session, submission: Submission, of: CollectionId, store: Store
    ) -> None:
        factories.approved(session, submission)
        written(session, of, store)
        last = written(session, of, store)
        written(session, of, store, ExportFormat.CSV)

        assert deltas.newest(session, of, ExportFormat.JSONL, None) == last.id
        assert deltas.newest(session, of, ExportFormat.LIDO, None) is None
