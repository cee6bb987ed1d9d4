import csv
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from predella import clock, db
from predella.formats import checking, paintingform, profiles
from predella.formats.checking import Schemas
from predella.ids import AnalysisId, CollectionId, ExportId
from predella.models import (
    Analysis,
    Client,
    Collection,
    Decision,
    Export,
    ExportFormat,
    ExportLine,
    Item,
    Lot,
    LotMember,
    LotState,
    PromptKind,
    Sensitivity,
    Submission,
)
from predella.sampling import Plan
from predella.services import exports, outgoing, prompts, reviews, rules
from predella.services.exporting import NothingToExportError
from predella.services.exporting import form as form_of
from predella.services.outgoing import Gate
from predella.settings import get_settings
from predella.storage import Store
from tests import factories
from tests.predella.formats import hostile, judging
from tests.predella.services import exporting
from tests.services import Bucket

pytestmark = pytest.mark.usefixtures("settings")

EVERY_FORMAT = pytest.mark.parametrize("form", list(ExportFormat))
CLOSED: list[dict[str, Any]] = [
    {"sensitivity": Sensitivity.REVIEW},
    {"sensitivity": Sensitivity.RESTRICTED},
    {"ai_processing": False},
    {"exportable": False},
    {"embargo_until": clock.now().date() + timedelta(days=2)},
    {"rights_work": None},
]
PROFILE = """
formulas: neutralise
columns:
  Inventory no.: object_number
  Text: text
  Origin: disclosure
  Source: {value: AI, withdrawn: withdrawn}
"""


@pytest.fixture(autouse=True)
def _address(monkeypatch: pytest.MonkeyPatch, settings: object) -> None:
    assert settings
    monkeypatch.setenv("PREDELLA_PUBLIC_URL", "https://predella.example.org")
    get_settings.cache_clear()


@pytest.fixture
def submission(session: Session) -> Submission:
    made = factories.submission(session, factories.collection(session, slug="paintings"))
    session.commit()
    return made


def _of(submission: Submission) -> CollectionId:
    return CollectionId(submission.collection_id)


def _asked(session: Session, kind: PromptKind) -> str:
    """Make a prompt that asks for this kind of text; its id."""
    name = kind.value.replace("_", "-") + "-test"
    return prompts.add(session, name, kind=kind, text="What is to be seen?").id


def _approved(session: Session, of: Item, said: str, kind: PromptKind) -> None:
    by = factories.release(session, prompt_id=_asked(session, kind), prompt_text="What is there?")
    made = factories.analysis(session, of, text=said, by=by)
    factories.review(session, made)


def _hostile(session: Session, submission: Submission) -> None:
    """Make an object with every hostile text everywhere, for each kind of text in turn."""
    words = [said for said in hostile.TEXTS.values() if said]
    kinds = list(PromptKind)
    names = ("title", "artist", "date", "medium", "dimensions", "object_uri", "credit_line", "view")
    for place, said in enumerate(words):
        for kind in kinds:
            number = f"{judging.NUMBERS[place % len(judging.NUMBERS)]} {place} {kind}"
            short = dict.fromkeys(names, said[:2_000])
            item = factories.item(
                session,
                submission,
                object_number=number,
                key=f"{number}/{said[:40]}.tif",
                rights_image=factories.PUBLIC_DOMAIN,
                extra={said[:100]: said[:2_000]},
                **short,
            )
            _approved(session, item, said, kind)


def _kinds(form: ExportFormat) -> frozenset[str]:
    """Return the kinds of text that a format takes."""
    return frozenset(form_of(form, None).KINDS)


class TestEveryFormat:
    @EVERY_FORMAT
    def test_of_hostile_data_is_what_a_catalog_accepts(
        self,
        session: Session,
        submission: Submission,
        s3: Bucket,
        tmp_path: Path,
        form: ExportFormat,
    ) -> None:
        _hostile(session, submission)

        whole = exporting.written(session, _of(submission), s3.store, form)

        path = exporting.file(whole, s3.store, tmp_path)
        schemas = Schemas(Path(judging.SCHEMAS)) if judging.SCHEMAS else None
        assert judging.problems(path, schemas) == []
        kinds = len(_kinds(form))
        texts = sum(1 for said in hostile.TEXTS.values() if said)
        assert whole.line_count == kinds * texts

    @EVERY_FORMAT
    def test_of_unchanged_data_is_the_same_bytes(
        self, session: Session, submission: Submission, s3: Bucket, form: ExportFormat
    ) -> None:
        for number in range(3):
            for kind in PromptKind:
                item = factories.item(session, submission, object_number=f"SK {number} {kind}")
                _approved(session, item, factories.TEXT, kind)

        first, second = (
            exporting.written(session, _of(submission), s3.store, form) for _ in range(2)
        )

        assert first.destination != second.destination
        assert exporting.content(first, s3.store) == exporting.content(second, s3.store)

    @EVERY_FORMAT
    def test_obeys_every_gate(
        self, session: Session, submission: Submission, s3: Bucket, form: ExportFormat
    ) -> None:
        for number, gate in enumerate([{}, *CLOSED]):
            word = "kept" if gate else "free"
            for kind in PromptKind:
                name = f"{number} {kind}"
                item = factories.item(session, submission, object_number=name, **gate)
                _approved(session, item, f"This text is {word}.", kind)

        export = exporting.written(session, _of(submission), s3.store, form)

        content = exporting.content(export, s3.store)
        assert b"This text is free." in content
        assert b"This text is kept." not in content
        assert export.line_count == len(_kinds(form))

    def test_says_whose_kind_of_text_it_lacks(
        self, session: Session, submission: Submission, s3: Bucket
    ) -> None:
        _approved(session, factories.item(session, submission), "A vase.", PromptKind.ALT_TEXT)
        made = exports.create(
            session,
            session.get_one(Collection, _of(submission)),
            account=factories.account(session),
            format=ExportFormat.OMEKA_S,
        )
        session.commit()

        exports.write_waiting(s3.store)

        session.expire_all()
        error = exports.get(session, ExportId(made.id)).error
        assert error == str(NothingToExportError("paintings", 0))


class TestEntry:
    def test_tells_what_the_record_knows(self, session: Session, submission: Submission) -> None:
        within = session.get_one(Collection, _of(submission))
        within.institution_uri = "https://museum.example.org/"
        within.text_rights = "http://creativecommons.org/licenses/by/4.0/"
        within.concept_uri = "https://museum.example.org/terms/7"
        item = factories.item(
            session,
            submission,
            view="front",
            iiif_image="https://iiif.example.org/1",
            rights_image="http://creativecommons.org/publicdomain/zero/1.0/",
        )
        made = factories.analysis(session, item)
        factories.review(session, made)

        (one,) = outgoing.departures(session, session.get_one(Collection, _of(submission)))

        entry = one.entry
        assert (entry.image.view, entry.image.rights) == ("front", item.rights_image)
        assert entry.release.question == "Describe the form."
        assert entry.release.decoding == {"max_new_tokens": 512}
        assert entry.image.iiif == "https://iiif.example.org/1"
        assert entry.institution.uri == within.institution_uri
        assert entry.wording.rights == within.text_rights
        assert entry.wording.concept == within.concept_uri
        assert (entry.run_id, entry.base) == (made.lease_token, "https://predella.example.org")
        assert (entry.approval.decision, one.carried) == ("approved", None)


class TestLanguages:
    def test_leave_side_by_side_and_the_newest_of_each(
        self, session: Session, submission: Submission, s3: Bucket
    ) -> None:
        said = {"en": "A vase.", "nl": "Een vaas."}
        for text in ("old", *said.values()):
            for language, newest in said.items():
                if text in {"old", newest}:
                    _in(session, submission, language, text)

        export = exporting.written(session, _of(submission), s3.store)

        lines = list(map(json.loads, exporting.content(export, s3.store).splitlines()))
        assert {line["record_id"]: line["wording"]["text"] for line in lines} == {
            f"paintings/A/formal-analysis/{language}": text for language, text in said.items()
        }
        assert len(lines) == 2

    def test_of_omeka_are_columns_that_stay_once_they_were_there(
        self, session: Session, submission: Submission, s3: Bucket, tmp_path: Path
    ) -> None:
        _in(session, submission, "en", "A vase.")
        alone = exporting.written(session, _of(submission), s3.store, ExportFormat.OMEKA_S)
        dutch = _in(session, submission, "nl", "Een vaas.")
        both = exporting.written(
            session, _of(submission), s3.store, ExportFormat.OMEKA_S, since=alone.id
        )
        by = factories.account(session)
        reviews.undo(session, AnalysisId(dutch.id), account=by, client=Client.CLI)
        gone = exporting.written(
            session, _of(submission), s3.store, ExportFormat.OMEKA_S, since=both.id
        )

        rows = [_rows(export, s3.store, tmp_path) for export in (alone, both, gone)]

        assert rows[0][0]["dcterms:description"] == "A vase."
        for (row,) in rows[1:]:
            assert row["dcterms:description @en"] == "A vase."
        assert rows[1][0]["dcterms:description @nl"] == "Een vaas."
        assert "ingetrokken" in rows[2][0]["dcterms:description @nl"]
        assert "dcterms:description" not in rows[2][0]


def _in(session: Session, submission: Submission, language: str, text: str) -> Analysis:
    """Return an approved text of object A in this language."""
    item = factories.item(session, submission, object_number="A", language=language)
    made = factories.analysis(session, item, text=text)
    factories.review(session, made)
    return made


def _rows(export: Export, store: Store, folder: Path) -> list[dict[str, str]]:
    """Return the rows of its file, in which nothing is wrong."""
    path = exporting.file(export, store, folder)
    assert judging.problems(path) == []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


class TestTraining:
    def test_reads_back_as_it_was_approved(
        self, session: Session, submission: Submission, s3: Bucket
    ) -> None:
        said = hostile.TEXTS["right to left"] + hostile.TEXTS["quotation"]
        item = factories.approved(session, submission, text=said, key="a/Å b.tif")

        export = exporting.written(session, _of(submission), s3.store, ExportFormat.PAINTINGFORM)

        with exports.open_file(export, s3.store) as file:
            (record,) = paintingform.read(file)
        assert (record.image, record.answer) == (item.key, said)
        assert record.question == "Describe the form."
        assert record.disclosure


class TestOwnProfile:
    def test_has_the_museums_columns(
        self, session: Session, submission: Submission, s3: Bucket, tmp_path: Path
    ) -> None:
        factories.approved(session, submission, object_number="=1+1")

        export = exporting.written(
            session, _of(submission), s3.store, ExportFormat.CSV, profile=PROFILE
        )

        path = exporting.file(export, s3.store, tmp_path)
        own = profiles.read("own", PROFILE.encode())
        assert list(checking.check(path, profile=own)) == []
        header, row, _ = path.read_text(encoding="utf-8").split("\n")
        assert header.strip() == "Inventory no.,Text,Origin,Source"
        assert row.startswith("'=1+1,")


def _accepted_by_sample(session: Session, submission: Submission, **fields: Any) -> Item:
    """Make an item whose text was accepted by a lot that passed."""
    item = factories.item(session, submission, **fields)
    made = factories.analysis(session, item, text="Nobody need have read this.")
    wording, by = factories.newest_revision(session, made), factories.account(session)
    lot = Lot(
        collection_id=submission.collection_id,
        account_id=by.id,
        query="",
        plan=Plan.STANDARD,
        allowed=0,
        seed=1,
        member_count=1,
        sample_count=1,
        flagged_count=0,
        state=LotState.PASSED,
        defect_count=0,
        accepted_count=1,
        concluded_at=clock.now(),
        concluded_by_id=by.id,
    )
    session.add(lot)
    session.flush()
    session.add(
        LotMember(
            lot_id=lot.id,
            analysis_id=made.id,
            revision_id=wording.id,
            revision_sha256=wording.sha256,
            lot_state=LotState.PASSED,
        )
    )
    session.flush()
    factories.review(session, made, Decision.ACCEPTED_BY_SAMPLE, by=by, lot_id=lot.id)
    return item


class TestAcceptedBySample:
    def test_stays_unless_the_collection_lets_it_leave(
        self, session: Session, submission: Submission, s3: Bucket
    ) -> None:
        factories.approved(session, submission, object_number="read")
        _accepted_by_sample(session, submission, object_number="sampled")

        before = exporting.written(session, _of(submission), s3.store)
        collection = session.get_one(Collection, _of(submission))
        rules.choose(session, collection, {"export_sampled": True})
        after = exporting.written(session, _of(submission), s3.store)

        assert set(exporting.said(before, s3.store)) == {"read"}
        assert set(exporting.said(after, s3.store)) == {"read", "sampled"}
        assert b"accepted_by_sample" in exporting.content(after, s3.store)
        lines = exports.lines(session, ExportId(after.id))
        assert [line.line.decision for line in lines] == [
            Decision.APPROVED,
            Decision.ACCEPTED_BY_SAMPLE,
        ]

    def test_is_counted_as_kept_back_only_where_it_could_leave(
        self, session: Session, submission: Submission
    ) -> None:
        _accepted_by_sample(session, submission, exportable=False)

        before = outgoing.kept_back(session, _of(submission))
        collection = session.get_one(Collection, _of(submission))
        rules.choose(session, collection, {"export_sampled": True})

        assert before == {}
        assert outgoing.kept_back(session, _of(submission)) == {Gate.DENIED: 1}

    def test_is_refused_by_the_database_itself(
        self, session: Session, submission: Submission
    ) -> None:
        item = _accepted_by_sample(session, submission)
        collection = session.get_one(Collection, _of(submission))
        rules.choose(session, collection, {"export_sampled": True})
        (one,) = outgoing.departures(session, collection)
        export = factories.export(session, collection)
        rules.choose(session, collection, {})
        session.commit()

        refused = pytest.raises(DatabaseError, match="accepted by sample does not leave")
        with refused as error, db.transaction() as own:
            own.add(
                ExportLine(
                    export_id=export.id,
                    number=1,
                    item_id=item.id,
                    analysis_id=one.analysis_id,
                    revision_id=one.revision_id,
                    revision_sha256=one.revision_sha256,
                    review_id=one.review_id,
                    decision=one.decision,
                    sha256=bytes(32),
                )
            )

        assert isinstance(error.value.orig, psycopg.errors.RestrictViolation)
