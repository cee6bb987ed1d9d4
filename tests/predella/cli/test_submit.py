import csv
import io
import json
import threading
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select, text

from predella import db
from predella.cli import following
from predella.cli.output import Exit
from predella.formats import manifest
from predella.models import Collection, Item, ItemState, Refusal, Role, Stage, Submission
from predella.services import accounts, runs
from predella.services.runs import Work
from predella.settings import Settings, get_settings
from tests import factories
from tests.pictures import artworks, picture, tiny
from tests.predella.cli.running import Ran, Run, runner
from tests.services import Bucket

PNG = tiny()


@pytest.fixture
def run(
    settings: Settings,  # noqa: ARG001  (the command reads them)
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Run commands as a digitizer who may also open collections."""
    with db.transaction() as session:
        account = factories.account(session, Role.DIGITIZER, Role.ADMIN)
        _, secret = accounts.issue_token(session, account, name="test")
    monkeypatch.setenv("PREDELLA_TOKEN", secret)
    get_settings.cache_clear()
    return runner(capsys)


@pytest.fixture
def museum(run: Run, s3: Bucket) -> Bucket:
    place = ("--bucket", s3.name, "--prefix", "sk/")
    run("collection", "add", "sk", *place, "--name", "Schilderijen", "--institution", "Museum")
    return s3


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two pictures and what a camera leaves beside them."""
    made = tmp_path / "Box 12"
    (made / "deep").mkdir(parents=True)
    (made / "SK-A-1.png").write_bytes(PNG)
    (made / "deep" / "SK-A-2.png").write_bytes(PNG + b"2")
    (made / "._SK-A-1.png").write_bytes(b"resource fork")
    (made / "SK-A-1.xmp").write_bytes(b"<x/>")
    return made


def _keys(bucket: Bucket) -> list[str]:
    listed = bucket.client.list_objects_v2(Bucket=bucket.name).get("Contents", [])
    return sorted(found["Key"] for found in listed)


def _count(model: type[Item | Submission]) -> int:
    with db.transaction() as session:
        return session.scalars(select(func.count()).select_from(model)).one()


class TestNumbers:
    @pytest.mark.usefixtures("museum")
    def test_come_out_of_the_pictures_as_the_collection_has_it(
        self, run: Run, tmp_path: Path
    ) -> None:
        field = "Iptc4xmpExt:ArtworkOrObject/AOSourceInvNo"
        (tmp_path / "box").mkdir()
        body = picture("JPEG", xmp=artworks("SK/A 1", "ÁB.2"))
        (tmp_path / "box" / "scan 1.jpg").write_bytes(body)
        (tmp_path / "box" / "scan 2.jpg").write_bytes(PNG)

        edited = run("collection", "change", "sk", "--number-field", f"  {field} ", "--json")
        tried = run("submit", tmp_path / "box", "--collection", "sk", "--dry-run", "--json")
        ran = run("submit", tmp_path / "box", "--collection", "sk", "--json")
        plain = run(
            "submit", tmp_path / "box", "--collection", "sk", "--number-field", "", "--json"
        )

        assert edited.json["number_field"] == field
        for report in (tried.json, ran.json):
            assert (report["rows_read"], report["accepted"]) == (3, 2)
            assert [group["code"] for group in report["refused"]] == ["no_object_number"]
        assert plain.json["accepted"] == 2
        with db.transaction() as session:
            found = session.scalars(select(Item.object_number)).all()
        assert sorted(found) == ["SK/A 1", "scan 1", "scan 2", "ÁB.2"]

    def test_need_a_field_that_there_is(self, run: Run, museum: Bucket) -> None:
        ran = run("submit", f"s3://{museum.name}/sk/", "--collection", "sk", "--number-field", "x")

        assert ran.code == Exit.USAGE
        assert "write a property of XMP, such as dc:identifier" in ran.err

    @pytest.mark.usefixtures("museum")
    def test_of_a_collection_are_changed_by_naming_them(self, run: Run) -> None:
        pattern = "(?P<number>[^/]+)_v"
        told = run("collection", "change", "sk", "--number-pattern", pattern)
        gone = run("collection", "change", "sk", "--number-pattern", "", "--json")

        assert pattern in told.out
        assert gone.json["number_pattern"] is None


class TestAFolder:
    def test_is_uploaded_and_every_file_reported(
        self, run: Run, museum: Bucket, folder: Path
    ) -> None:
        (folder / "empty.png").touch()

        ran = run("submit", folder, "--collection", "sk", "--json")

        assert ran.code == Exit.PARTIAL
        assert _keys(museum) == [
            "sk/Box 12/SK-A-1.png",
            "sk/Box 12/deep/SK-A-2.png",
            "sk/Box 12/empty.png",
        ]
        report = ran.json
        assert (report["state"], report["rows_read"], report["accepted"]) == ("received", 3, 2)
        (group,) = report["refused"]
        assert (group["code"], group["count"]) == ("empty_file", 1)
        assert group["examples"][0]["filename"] == "empty.png"

    def test_is_described_by_the_manifest_in_it(
        self, run: Run, museum: Bucket, folder: Path
    ) -> None:
        (folder / "manifest.csv").write_text(
            "object_number,filename\nA 1,SK-A-1.png\nA 2,SK-A-3.png\n"
        )

        ran = run("submit", folder, "--collection", "sk", "--json")

        manifests = [key for key in _keys(museum) if key.endswith(".csv")]
        assert len(manifests) == 1
        assert manifests[0].startswith("submissions/Box 12/manifest-")
        assert (ran.json["accepted"], ran.json["files_without_row"]) == (1, 0)
        assert "did you mean" not in ran.json["refused"][0]["examples"][0]["sentence"]

    def test_twice_is_sent_once_and_says_so(self, run: Run, museum: Bucket, folder: Path) -> None:
        first = run("submit", folder, "--collection", "sk", "--json").json

        again = run("submit", folder, "--collection", "sk")

        assert again.code == Exit.OK
        assert "0 of 2 images to upload" in again.err
        assert f"Handed in before on {first['same_as_at'] or ''}" in again.out
        assert f"as {first['submission_id']}; nothing new." in again.out
        assert _count(Item) == 2
        assert len(_keys(museum)) == 2

    def test_goes_on_where_an_upload_stopped(self, run: Run, museum: Bucket, folder: Path) -> None:
        museum.client.put_object(Bucket=museum.name, Key="sk/Box 12/SK-A-1.png", Body=PNG)

        ran = run("submit", folder, "--collection", "sk")

        assert "1 of 2 images to upload" in ran.err
        assert ran.code == Exit.OK

    def test_never_lands_on_other_files_unasked(
        self, run: Run, museum: Bucket, folder: Path
    ) -> None:
        museum.client.put_object(Bucket=museum.name, Key="sk/Box 12/SK-A-1.png", Body=b"other")

        refused = run("submit", folder, "--collection", "sk")
        titled = run("submit", folder, "--collection", "sk", "--title", "Box/12b")
        replaced = run("submit", folder, "--collection", "sk", "--replace")

        assert refused.code == Exit.CONFLICT
        assert f"s3://{museum.name}/sk/Box 12/SK-A-1.png" in refused.err
        assert (titled.code, replaced.code) == (Exit.OK, Exit.OK)
        assert "sk/Box-12b/SK-A-1.png" in _keys(museum)
        body = museum.client.get_object(Bucket=museum.name, Key="sk/Box 12/SK-A-1.png")["Body"]
        assert body.read() == PNG

    def test_of_large_files_is_known_again(self, run: Run, museum: Bucket, folder: Path) -> None:
        (folder / "large.tif").write_bytes(bytes(range(256)) * 40_000)
        run("submit", folder, "--collection", "sk")

        again = run("submit", folder, "--collection", "sk")

        assert "0 of 3 images to upload" in again.err
        assert "sk/Box 12/large.tif" in _keys(museum)

    def test_may_have_a_name_that_looks_like_markup(
        self, run: Run, museum: Bucket, folder: Path
    ) -> None:
        museum.client.put_object(Bucket=museum.name, Key="sk/Box 12/a[-red].png", Body=b"other")
        (folder / "a[-red].png").write_bytes(PNG)

        assert "sk/Box 12/a[-red].png" in run("submit", folder, "--collection", "sk").err

    def test_without_a_picture_is_refused_before_anything_is_sent(
        self, run: Run, museum: Bucket, tmp_path: Path
    ) -> None:
        ran = run("submit", tmp_path / "nothing", "--collection", "sk")

        assert ran.code == Exit.USAGE
        assert "neither a folder nor a manifest" in ran.err
        assert _keys(museum) == []


class TestAManifest:
    def test_brings_the_images_beside_it(self, run: Run, museum: Bucket, folder: Path) -> None:
        listed = folder / "list.jsonl"
        listed.write_text(json.dumps({"object_number": "1", "filename": "deep/SK-A-2.png"}))

        ran = run("submit", listed, "--collection", "sk", "--json")

        assert ran.json["accepted"] == 1
        assert "sk/Box 12/deep/SK-A-2.png" in _keys(museum)
        assert "sk/Box 12/SK-A-1.png" not in _keys(museum)

    def test_may_name_images_that_lie_in_the_bucket(
        self, run: Run, museum: Bucket, tmp_path: Path
    ) -> None:
        museum.client.put_object(Bucket=museum.name, Key="sk/1925/a.png", Body=PNG)
        (tmp_path / "list.csv").write_text("object_number,filename\n1,1925/a.png\n")

        ran = run("submit", tmp_path / "list.csv", "--collection", "sk", "--json")

        assert (ran.code, ran.json["accepted"]) == (Exit.OK, 1)

    def test_with_a_wrong_header_sends_nothing(
        self, run: Run, museum: Bucket, folder: Path
    ) -> None:
        (folder / "list.csv").write_text("object_number,filname\n1,SK-A-1.png\n")

        ran = run("submit", folder / "list.csv", "--collection", "sk")

        assert ran.code == Exit.USAGE
        assert "did you mean" in ran.err
        assert _keys(museum) == []

    def test_on_s3_with_a_wrong_header_is_refused_as_a_whole(
        self, run: Run, museum: Bucket
    ) -> None:
        museum.client.put_object(Bucket=museum.name, Key="sk/list.csv", Body=b"a,b\n1,2\n")

        ran = run("submit", f"s3://{museum.name}/sk/list.csv", "--collection", "sk")

        assert ran.code == Exit.FAILURE
        assert "Refused: The manifest has no column object_number" in ran.err

    def test_can_be_begun_from_a_template(self, run: Run) -> None:
        assert run("submit", "--template").out == manifest.template()


class TestADryRun:
    def test_says_the_same_and_leaves_nothing(self, run: Run, museum: Bucket, folder: Path) -> None:
        (folder / "manifest.csv").write_text(
            "object_number,filename\nA 1,SK-A-1.png\nA 2,deep/sk-a-2.PNG\n"
        )

        tried = run("submit", folder, "--collection", "sk", "--dry-run", "--json")

        assert (_keys(museum), _count(Submission)) == ([], 0)
        done = run("submit", folder, "--collection", "sk", "--json")
        assert tried.code == done.code == Exit.PARTIAL
        for name in ("rows_read", "accepted", "refused", "files_without_row"):
            assert tried.json[name] == done.json[name]
        sentence = tried.json["refused"][0]["examples"][0]["sentence"]
        assert 'did you mean "deep/SK-A-2.png"?' in sentence


class TestWaiting:
    def test_ends_with_the_fates(
        self, run: Run, museum: Bucket, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert museum
        monkeypatch.setattr(following, "_PAUSE", 0.05)
        worker = threading.Thread(target=_fail_everything)
        worker.start()

        ran = run("submit", folder, "--collection", "sk", "--wait")

        worker.join()
        assert ran.code == Exit.PARTIAL
        assert "failed: undecodable" in ran.out
        assert "no picture at all" in ran.out

    def test_ends_when_the_time_is_over(self, run: Run, museum: Bucket, folder: Path) -> None:
        assert museum
        waiting = ("--wait", "--timeout", "0", "--json")

        ran = run("submit", folder, "--collection", "sk", *waiting)

        assert ran.code == Exit.TIMED_OUT
        assert ran.json["progress"]["preparing"] == 2

    def test_interrupted_leaves_the_work_running(
        self, run: Run, museum: Bucket, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert museum

        def interrupt(_seconds: float) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("predella.cli.following.time.sleep", interrupt)

        ran = run("submit", folder, "--collection", "sk", "--wait")

        assert ran.code == Exit.INTERRUPTED
        assert "the work goes on. See: predella status" in ran.err


def _fail_everything() -> None:
    """Do as a worker does that can read none of the images."""
    fail = text(
        "UPDATE item SET state = 'failed', error_code = 'undecodable',"
        " error = 'no picture at all', finished_at = now()"
    )
    while not _count(Item):
        threading.Event().wait(0.05)
    with db.transaction() as session:
        session.execute(fail)


@pytest.fixture
def submitted(run: Run, museum: Bucket, folder: Path) -> str:
    assert museum
    (folder / "manifest.csv").write_text(
        "object_number,filename,ai_processing\n"
        "=1+1,SK-A-1.png,\nA 2,deep/SK-A-2.png,denied\nA 3,gone.png,\n"
    )
    ran = run("submit", folder, "--collection", "sk", "--json")
    return str(ran.json["submission_id"])


class TestStatus:
    def test_lists_the_fate_of_everything(self, run: Run, submitted: str) -> None:
        rows = run("status", submitted, "--all", "--json").lines

        assert [(row["row"], row["fate"], row["code"]) for row in rows] == [
            (2, "waits to be prepared", None),
            (3, "withheld", "ai_processing"),
            (4, "refused", "missing_file"),
        ]

    def test_lists_only_what_went_wrong(self, run: Run, submitted: str) -> None:
        _fail_everything()

        failed = run("status", "--collection", "sk", "--failed", "--json").lines
        refused = run("status", submitted, "--refused", "--json").lines

        assert [row["reason"] for row in failed] == ["no picture at all"] * 2
        assert [row["filename"] for row in refused] == ["gone.png"]

    def test_aligns_it_for_people(self, run: Run, submitted: str) -> None:
        first, *rest = run("status", submitted, "--all").out.splitlines()

        assert first.split() == ["row", "object", "file", "fate", "why"]
        assert [line.index("sk/Box 12") for line in rest[:2]] == [first.index("file")] * 2
        assert 'There is no file "gone.png"' in rest[2]

    def test_gives_the_terminal_no_orders(self, run: Run, submitted: str) -> None:
        with db.transaction() as session:
            session.add(
                Refusal(
                    submission_id=UUID(submitted),
                    row_number=0,
                    filename="a\x1b[2J\nb.png",
                    code="file_without_row",
                    sentence="No row of the manifest names this file.",
                )
            )

        assert "a[2J b.png" in run("status", submitted, "--refused").out

    def test_writes_csv_that_no_spreadsheet_runs(self, run: Run, submitted: str) -> None:
        rows = list(csv.DictReader(io.StringIO(run("status", submitted, "--all", "--csv").out)))

        assert [row["object_number"] for row in rows] == ["'=1+1", "A 2", "A 3"]

    def test_pages_through_more_than_one_page(
        self, run: Run, submitted: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("predella.cli.status._PAGE", 1)

        assert len(run("status", submitted, "--all", "--json").lines) == 3

    def test_sums_up(self, run: Run, submitted: str) -> None:
        summary = run("status", submitted, "--json").json
        shown = run("status", submitted)

        assert summary["collection"] == "sk"
        assert (summary["progress"]["withheld"], summary["progress"]["total"]) == (1, 2)
        assert f"predella status {submitted} --refused" in shown.out

    def test_tells_how_fast_model_workers_are_and_what_is_left(
        self, run: Run, submitted: str
    ) -> None:
        with db.transaction() as session:
            waiting = select(Item).filter_by(state=ItemState.WAITING)
            for item in session.scalars(waiting).all():
                owner = session.get_one(Collection, item.collection_id)
                image = factories.image(session, owner)
                item.image_id, item.sha256 = image.id, image.sha256
                item.stage = Stage.ANALYZE
        before = run("status", submitted).out
        with db.transaction() as session:
            run_id = runs.start(session, worker="a:1", model_name="m", device="cpu", batch_size=8)
            runs.progress(session, run_id, Work(images=4))

        after = run("status", submitted)
        told = run("status", submitted, "--json").json["analysis"]

        assert "No model worker at work; 1 image left to analyze." in before
        pace = "1 model worker at work: 4.0 images/s; 1 image left to analyze, less than 1 min."
        assert pace in after.out
        assert pace in run("status").out
        assert told == {
            "workers": 1,
            "images_per_second": 4.0,
            "images_left": 1,
            "seconds_left": 0.25,
        }

    def test_without_a_submission_shows_the_latest(self, run: Run, submitted: str) -> None:
        assert submitted in run("status").out
        assert [row["id"] for row in run("status", "--json").json] == [submitted]

    def test_needs_to_know_what_to_list(self, run: Run) -> None:
        assert run("status", "--failed").code == Exit.USAGE


class TestRequeue:
    def test_tries_again_what_failed(self, run: Run, submitted: str) -> None:
        _fail_everything()

        tried: Ran = run("requeue", submitted, "--dry-run")
        other = run("requeue", submitted, "--code", "gave_up")
        done = run("requeue", submitted)

        assert "1 items would be tried again" in tried.out
        assert "0 items are to be tried again" in other.out
        assert "1 items are to be tried again" in done.out


class TestWhoMay:
    def test_a_curator_may_not_hand_in(
        self, run: Run, monkeypatch: pytest.MonkeyPatch, folder: Path
    ) -> None:
        with db.transaction() as session:
            account = factories.account(session, Role.CURATOR)
            _, secret = accounts.issue_token(session, account, name="test")
        monkeypatch.setenv("PREDELLA_TOKEN", secret)
        get_settings.cache_clear()

        for command in (("submit", folder, "--collection", "sk"), ("collection", "add", "x")):
            code = run(*command, *_NEEDED.get(command[0], ())).code
            assert code == Exit.AUTH


_NEEDED = {"collection": ("--bucket", "b", "--name", "n", "--institution", "i")}


def _bag(folder: Path) -> Path:
    """Make a folder a bag, as other programs do: the pictures below ``data/``."""
    bag = folder.parent / "Bag 3"
    folder.rename(folder.parent / "data")
    bag.mkdir()
    (folder.parent / "data").rename(bag / "data")
    for path in (bag / "data").rglob("*"):
        if path.suffix == ".xmp" or path.name.startswith("._"):
            path.unlink()
    (bag / "bagit.txt").write_text("BagIt-Version: 0.97\nTag-File-Character-Encoding: UTF-8\n")
    files = [path for path in (bag / "data").rglob("*") if path.is_file()]
    lines = (
        f"{sha256(path.read_bytes()).hexdigest()}  {path.relative_to(bag).as_posix()}\n"
        for path in files
    )
    (bag / "manifest-sha256.txt").write_text("".join(lines))
    return bag


class TestABag:
    def test_is_uploaded_whole_and_pinned(self, run: Run, museum: Bucket, folder: Path) -> None:
        bag = _bag(folder)

        tried = run("submit", bag, "--collection", "sk", "--dry-run", "--json")
        ran = run("submit", bag, "--collection", "sk", "--json")

        assert tried.json["accepted"] == ran.json["accepted"] == 2
        assert "sk/Bag 3/data/deep/SK-A-2.png" in _keys(museum)
        with db.transaction() as session:
            pinned = set(session.scalars(select(Item.sha256)))
        assert pinned == {sha256(PNG).digest(), sha256(PNG + b"2").digest()}

    def test_that_was_damaged_sends_nothing(self, run: Run, museum: Bucket, folder: Path) -> None:
        bag = _bag(folder)
        (bag / "data" / "SK-A-1.png").write_bytes(b"rot")
        (bag / "data" / "deep" / "SK-A-2.png").unlink()
        (bag / "data" / "new.png").write_bytes(PNG)

        ran = run("submit", bag, "--collection", "sk")

        assert ran.code == Exit.USAGE
        assert "3 files are at fault" in ran.err
        for fault in ("SK-A-1.png is not the file", "SK-A-2.png is missing", "new.png is not"):
            assert fault in ran.err
        assert _keys(museum) == []


class TestAPreview:
    def test_goes_first_and_the_rest_follows(self, run: Run, museum: Bucket, folder: Path) -> None:  # noqa: ARG002  (it lies there)
        ran = run("submit", folder, "--collection", "sk", "--preview", "1")
        submitted = run("submit", folder, "--collection", "sk", "--json").json["same_as_id"]

        held = run("status", submitted, "--all", "--json").lines
        released = run("submission", "release", submitted, "--json")

        assert "predella submission release" in ran.out
        assert sorted(line["fate"] for line in held) == ["held", "waits to be prepared"]
        assert released.json["released"] == 1

    def test_of_which_somebody_thinks_better_is_withdrawn_and_restored(
        self, run: Run, submitted: str
    ) -> None:
        taken = run("submission", "withdraw", submitted, "--reason", "wrong box")
        fates = {line["fate"] for line in run("status", submitted, "--all", "--json").lines}
        back = run("submission", "restore", submitted, "--reason", "right box", "--json")

        assert (taken.code, back.json["is_withdrawn"]) == (Exit.OK, False)
        assert "withdrawn" in fates
        assert f"predella submission restore {submitted}" in taken.out.replace("\n", " ")


class TestGates:
    def test_are_shown_and_changed(self, run: Run, submitted: str) -> None:
        item = run("status", submitted, "--all", "--json").lines[0]
        gates = ("object", "gates", "sk", item["object_number"])

        unsaid = run(*gates, "--sensitivity", "restricted")
        changed = run(
            *gates, "--sensitivity", "restricted", "--embargo-until", "2031-12-31",
            "--export", "denied", "--reason", "asked for", "--json",
        )  # fmt: skip
        shown = run(*gates)

        assert unsaid.code == Exit.USAGE
        assert (changed.json["export"], changed.json["embargo_until"]) == ("denied", "2031-12-31")
        assert "restricted" in shown.out
        assert "asked for" in shown.out

    def test_of_many_are_counted_first_and_changed_for_one_reason(
        self, run: Run, submitted: str, tmp_path: Path
    ) -> None:
        items = run("status", submitted, "--all", "--json").lines
        numbers = [item["object_number"] for item in items if item["fate"] != "refused"]
        listed = tmp_path / "asked for.txt"
        listed.write_text("\n".join(numbers))
        gates = ("object", "gates", "sk", "--from", str(listed), "--sensitivity", "restricted")

        counted = run(*gates, "--dry-run", "--json")
        untouched = run("object", "gates", "sk", numbers[0], "--json")
        changed = run(*gates, "--reason", "asked for", "--json")
        again = run(*gates, "--reason", "asked for")

        assert counted.json == {
            "objects": 2, "changed": 2, "closed": 1, "opened": 0, "unknown": [], "is_done": False,
        }  # fmt: skip
        assert untouched.json["sensitivity"] == "none"
        assert changed.json == counted.json | {"is_done": True}
        assert "0 of 2 objects changed" in again.out
        fates = {line["fate"] for line in run("status", submitted, "--all", "--json").lines}
        assert fates == {"withheld", "refused"}

    def test_of_a_spreadsheet_become_what_each_row_says(
        self, run: Run, submitted: str, tmp_path: Path
    ) -> None:
        items = run("status", submitted, "--all", "--json").lines
        one, other = sorted({item["object_number"] for item in items})[:2]
        sheet = tmp_path / "gates.csv"
        sheet.write_text(f"object_number,export,embargo_until\n{one},denied,\n{other},,2031-12-31")

        run("object", "gates", "sk", "--from", str(sheet), "--export", "allowed", "--reason", "so")

        shown = [run("object", "gates", "sk", number, "--json").json for number in (one, other)]
        assert [each["export"] for each in shown] == ["denied", "allowed"]
        assert [each["embargo_until"] for each in shown] == [None, "2031-12-31"]

    def test_of_none_change_when_one_number_is_unknown(
        self, run: Run, submitted: str, tmp_path: Path
    ) -> None:
        known = run("status", submitted, "--all", "--json").lines[0]["object_number"]
        listed = tmp_path / "numbers.txt"
        listed.write_text(f"{known}\nnowhere\nNG-2 b")

        ran = run(
            "object", "gates", "sk", "--from", str(listed), "--export", "denied", "--reason", "so"
        )

        assert ran.code == Exit.FAILURE
        assert "unknown: nowhere" in ran.out
        assert "unknown: NG-2 b" in ran.out
        assert run("object", "gates", "sk", known, "--json").json["export"] == "allowed"
