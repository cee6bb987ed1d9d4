import csv
import hashlib
import json
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

import pytest
from sqlalchemy import select

from predella import db, ids
from predella.cli.output import Exit
from predella.errors import UnavailableError
from predella.formats import profiles
from predella.ids import CollectionId
from predella.models import Export, ExportState, Role
from predella.services import accounts, gates
from predella.services.gates import Change
from predella.settings import Settings, get_settings
from predella.storage import Store
from tests import factories
from tests.predella.cli.running import Run, runner
from tests.services import Bucket

PROFILE = "columns: {Nummer: object_number, Tekst: text, Herkomst: disclosure}"


@pytest.fixture
def run(
    settings: Settings,  # noqa: ARG001  (the command reads them)
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Run commands as a registrar."""
    with db.transaction() as session:
        account = factories.account(session, Role.REGISTRAR)
        _, secret = accounts.issue_token(session, account, name="test")
    monkeypatch.setenv("PREDELLA_TOKEN", secret)
    get_settings.cache_clear()
    command = runner(capsys)
    return lambda *arguments: command("export", *arguments)


@pytest.fixture
def paintings(run: Run) -> str:  # noqa: ARG001  (it makes the database)
    """The slug of a collection with two texts that may leave and one that may not."""
    with db.transaction() as session:
        made = factories.collection(session, slug="paintings")
        within = factories.submission(session, made)
        for number in ("SK-1", "SK-2"):
            factories.approved(session, within, object_number=number, text=f"Form of {number}.")
        factories.approved(session, within, rights_work=None)
        return made.slug


class TestWrite:
    def test_copies_the_file_to_this_machine(
        self, run: Run, paintings: str, tmp_path: Path
    ) -> None:
        to = tmp_path / "paintings.csv"
        to.write_text("from the last time", encoding="utf-8")

        ran = run(paintings, "--format", "csv", "--out", str(to))

        assert (ran.code, str(to) in ran.out.replace("\n", "")) == (Exit.OK, True)
        with to.open(encoding="utf-8", newline="") as file:
            assert [row["text"] for row in csv.DictReader(file)] == [
                "Form of SK-1.",
                "Form of SK-2.",
            ]
        assert list(tmp_path.glob(".*.unfinished")) == []

    def test_tells_how_many_were_kept_back_and_why(self, run: Run, paintings: str) -> None:
        written = run(paintings, "--format", "lido").out

        assert "approved texts: 2" in written
        assert "approved and kept back: 1, without a rights statement" in written

    def test_writes_where_our_bucket_takes_it(self, run: Run, paintings: str, s3: Bucket) -> None:
        place = f"s3://{s3.name}/exports/weekly/texts.jsonl"

        row = run(paintings, "--format", "jsonl", "--out", place, "--json").json

        assert (row["destination"], row["line_count"]) == (place, 2)
        assert row["kept_back"] == {"rights_unknown": 1}
        content = s3.store.read(s3.name, "exports/weekly/texts.jsonl")
        assert hashlib.sha256(content).hexdigest() == row["sha256"]
        assert run(paintings, "--format", "jsonl", "--out", place).code == Exit.CONFLICT

    def test_may_be_said_in_full_and_in_any_order(self, run: Run, paintings: str) -> None:
        assert run("write", paintings, "--format", "csv").code == Exit.OK
        assert run("--format", "csv", paintings).code == Exit.OK

    def test_of_nothing_says_so(self, run: Run) -> None:
        with db.transaction() as session:
            factories.collection(session, slug="empty")

        ran = run("empty", "--format", "csv")

        assert (ran.code, "no text is approved" in ran.err) == (Exit.CONFLICT, True)

    @pytest.mark.parametrize(
        ("arguments", "code"),
        [
            (("nowhere", "--format", "csv"), Exit.FAILURE),
            (("paintings", "--format", "xls"), Exit.USAGE),
            (("paintings",), Exit.USAGE),
            (("paintings", "--format", "csv", "--out", "no/such/folder/a.csv"), Exit.USAGE),
            (("paintings", "--format", "csv", "--out", "s3://elsewhere/a.csv"), Exit.USAGE),
            (("paintings", "--format", "iiif"), Exit.USAGE),
            (("paintings", "--format", "csv", "--since", "yesterday"), Exit.USAGE),
            (("paintings", "--format", "csv", "--since", str(ids.new())), Exit.FAILURE),
            (("paintings", "--format", "paintingform", "--since", "2026-01-01"), Exit.USAGE),
            (("paintings", "--format", "csv", "--profile", "no-such.yaml"), Exit.USAGE),
        ],
    )
    @pytest.mark.usefixtures("paintings")
    def test_refuses_before_anything_is_asked_for(
        self, run: Run, arguments: tuple[str, ...], code: Exit
    ) -> None:
        assert run(*arguments).code == code
        with db.transaction() as session:
            assert session.scalars(select(Export)).all() == []

    def test_has_only_what_changed_since_an_export_or_a_day(
        self, run: Run, paintings: str, tmp_path: Path
    ) -> None:
        whole = run(paintings, "--format", "jsonl", "--json").json
        with db.transaction() as session:
            collection = CollectionId(session.get_one(Export, UUID(whole["id"])).collection_id)
            by = factories.account(session)
            closed = Change(exportable=False)
            gates.change(session, collection, "SK-1", closed, account=by, reason="a letter")
        to = tmp_path / "changes.jsonl"

        told = run(paintings, "--format", "jsonl", "--since", whole["id"], "--out", str(to)).out
        since = run(paintings, "--format", "jsonl", "--since", "2020-01-01", "--json").json

        assert "approved texts: 0" in told
        assert "withdrawn, after they had left: 1" in told
        (line,) = map(json.loads, to.read_text(encoding="utf-8").splitlines())
        assert (line["object"]["number"], "wording" in line) == ("SK-1", False)
        assert line["withdrawn_at"]
        assert (since["line_count"], since["withdrawn_count"]) == (2, 1)
        shown = run("show", since["id"], "--lines").out
        assert "SK-2  wording" in shown
        assert "SK-1  withdrawn" in shown

    def test_writes_a_museums_own_columns(self, run: Run, paintings: str, tmp_path: Path) -> None:
        profile, to = tmp_path / "ours.yaml", tmp_path / "ours.csv"
        profile.write_text(PROFILE, encoding="utf-8-sig")
        arguments = ("--profile", str(profile))

        ran = run(paintings, "--format", "csv", "--out", str(to), *arguments)

        assert ran.code == Exit.OK
        assert to.read_text(encoding="utf-8").startswith("Nummer,Tekst,Herkomst\n")
        assert run("check", str(to), *arguments).code == Exit.OK
        assert "not the header" in run("check", str(to)).out

    @pytest.mark.parametrize(
        ("content", "why"),
        [
            (b"columns: {Tekst: text}", "disclosure"),
            (b"columns: {T: text, H: disclosure, N: shoe_size}", "shoe_size"),
            ("columns: {Épreuve: text}".encode("latin-1"), "UTF-8"),
            (b"columns: [", "YAML"),
        ],
    )
    def test_says_what_is_wrong_with_a_profile(
        self, run: Run, paintings: str, tmp_path: Path, content: bytes, why: str
    ) -> None:
        profile = tmp_path / "ours.yaml"
        profile.write_bytes(content)

        ran = run(paintings, "--format", "csv", "--profile", str(profile))

        assert (ran.code, why in ran.err) == (Exit.USAGE, True)

    def test_leaves_it_to_a_worker_when_the_store_is_away(
        self, run: Run, paintings: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away(*_arguments: object, **_named: object) -> None:
            raise UnavailableError("the object store does not answer")

        monkeypatch.setattr(Store, "writing", away)

        ran = run(paintings, "--format", "csv")

        assert (ran.code, "a worker will write it" in ran.err) == (Exit.FAILURE, True)
        with db.transaction() as session:
            assert session.scalars(select(Export.state)).all() == [ExportState.WRITING]


class TestFetch:
    def test_goes_on_where_the_line_was_lost(
        self, run: Run, paintings: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = run(paintings, "--format", "jsonl", "--json").json
        to, pieces = tmp_path / "p.jsonl", []
        opened = Store.open

        def counted(store: Store, bucket: str, key: str, piece: range | None = None) -> BinaryIO:
            pieces.append(piece)
            return opened(store, bucket, key, piece)

        monkeypatch.setattr(Store, "open", counted)
        assert run("fetch", made["id"], "--out", str(to)).code == Exit.OK
        whole = to.read_bytes()
        (tmp_path / f".p.jsonl.{made['id']}.unfinished").write_bytes(whole[:100])

        assert run("fetch", made["id"], "--out", str(to)).code == Exit.OK

        assert pieces == [range(made["size"]), range(100, made["size"])]
        assert to.read_bytes() == whole
        assert list(tmp_path.glob(".*.unfinished")) == []

    def test_begins_anew_when_the_beginning_is_of_another_file(
        self, run: Run, paintings: str, tmp_path: Path
    ) -> None:
        made = run(paintings, "--format", "jsonl", "--json").json
        to = tmp_path / "p.jsonl"
        (tmp_path / f".p.jsonl.{made['id']}.unfinished").write_bytes(b"x" * 100)

        first = run("fetch", made["id"], "--out", str(to))
        second = run("fetch", made["id"], "--out", str(to), "--json")

        assert second.json["file"] == str(to)
        assert (first.code, "fetch it again" in first.err) == (Exit.FAILURE, True)
        assert second.code == Exit.OK
        assert hashlib.sha256(to.read_bytes()).hexdigest() == made["sha256"]


class TestCheck:
    def test_finds_nothing_in_what_we_write(self, run: Run, paintings: str, tmp_path: Path) -> None:
        for form, name in (("lido", "a.xml"), ("csv", "a.csv"), ("xmp", "a.tar")):
            to = str(tmp_path / name)
            run(paintings, "--format", form, "--out", to)

            ran = run("check", to)

            assert (ran.code, ran.out, "Nothing is wrong" in ran.err) == (Exit.OK, "", True)

    def test_shows_what_is_wrong_and_where(self, run: Run, paintings: str, tmp_path: Path) -> None:
        to = tmp_path / "[bold].jsonl"
        run(paintings, "--format", "jsonl", "--out", str(to))
        to.write_bytes(to.read_bytes().replace(b"Form of SK-2", b"Norm of SK-2"))

        ran, as_json = run("check", str(to)), run("check", str(to), "--json")

        assert (ran.code, as_json.code) == (Exit.FAILURE, Exit.FAILURE)
        assert "line 2: the text is not the one with its sha256" in ran.out
        assert "1 things are wrong in [bold].jsonl" in ran.err
        assert [row["place"] for row in as_json.lines] == ["line 2"]

    def test_says_which_files_it_knows(self, run: Run, tmp_path: Path) -> None:
        other = tmp_path / "letter.docx"
        other.write_bytes(b"")

        ran = run("check", str(other))

        assert (ran.code, ".jsonl" in ran.err) == (Exit.USAGE, True)

    def test_says_when_the_folder_of_schemas_is_not_there(
        self, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PREDELLA_SCHEMAS", str(tmp_path / "nowhere"))
        get_settings.cache_clear()
        (tmp_path / "a.xml").write_bytes(b"<a/>")

        ran = run("check", str(tmp_path / "a.xml"))

        assert (ran.code, "nowhere" in ran.err) == (Exit.FAILURE, True)


class TestList:
    def test_shows_what_left_when(self, run: Run, paintings: str) -> None:
        made = [run(paintings, "--format", form, "--json").json["id"] for form in ("csv", "lido")]

        assert [row["id"] for row in run("list", "--json").lines] == made
        assert run("list", "--json", "--collection", paintings).lines[0]["state"] == "written"
        assert made[0] in run("list").out


class TestShow:
    def test_tells_one_export_and_its_lines(self, run: Run, paintings: str) -> None:
        id_ = run(paintings, "--format", "csv", "--json").json["id"]

        assert run("show", id_, "--json").json["line_count"] == 2
        assert paintings in run("show", id_).out
        lines = run("show", id_, "--lines", "--json").lines
        assert [(line["number"], line["object_number"]) for line in lines] == [
            (1, "SK-1"),
            (2, "SK-2"),
        ]
        assert "SK-2" in run("show", id_, "--lines").out


class TestMapping:
    def test_writes_the_sheet_to_a_file_or_to_the_terminal(self, run: Run, tmp_path: Path) -> None:
        sheet = profiles.mapping("collectiveaccess")
        to = tmp_path / "sheet.csv"

        shown = run("mapping", "collectiveaccess")
        kept = run("mapping", "collectiveaccess", "--out", str(to))

        assert (shown.code, shown.out.encode()) == (Exit.OK, sheet)
        assert (kept.code, to.read_bytes()) == (Exit.OK, sheet)

    def test_says_that_a_format_needs_none(self, run: Run) -> None:
        ran = run("mapping", "lido")

        assert ran.code == Exit.USAGE
        assert "known are collectiveaccess" in ran.err
