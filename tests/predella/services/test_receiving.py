import gzip
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from hashlib import md5, sha256

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from predella.errors import ConflictError, UnavailableError
from predella.models import Item, ItemState, Refusal, Stage, SubmissionState
from predella.services import collections, receiving
from predella.services.reports import Report
from predella.settings import Settings
from predella.storage import ObjectVersion, Store
from tests.bench import receiving as bench
from tests.pictures import tiny
from tests.predella.services.hand_ins import Museum
from tests.services import Bucket


@pytest.fixture
def museum(session: Session, s3: Bucket) -> Museum:
    return Museum(session, s3)


class TestAcceptedRows:
    def test_become_items_that_wait_with_their_object_pinned(self, museum: Museum) -> None:
        museum.put("1925/a.jpg")

        report = museum.hand_in(
            "object_number,filename,title,Accession Room\n1925.1,1925/a.jpg,富嶽三十六景,12\n"
        )

        (item,) = museum.items(report)
        assert (report.state, report.accepted, report.refused) == (SubmissionState.RECEIVED, 1, ())
        assert (item.object_number, item.title) == ("1925.1", "富嶽三十六景")
        assert item.extra == {"Accession Room": "12"}
        assert (item.row_number, item.language, item.is_primary) == (2, "nl", True)
        assert (item.stage, item.state, item.attempt) == (Stage.PREPARE, ItemState.WAITING, 0)
        assert (item.bucket, item.key) == (museum.bucket.name, "paintings/1925/a.jpg")
        assert item.etag == md5(tiny("1925/a.jpg"), usedforsecurity=False).hexdigest()
        assert (item.size, item.sha256) == (len(tiny("1925/a.jpg")), None)

    def test_pin_the_version_where_the_bucket_keeps_versions(
        self, session: Session, s3_versioned: Bucket
    ) -> None:
        museum = Museum(session, s3_versioned)
        museum.write("a.jpg", tiny("old"))
        museum.write("a.jpg", tiny("new"))

        report = museum.hand_in("object_number,filename\n1,a.jpg\n")

        (item,) = museum.items(report)
        newest = museum.client.head_object(Bucket=item.bucket, Key=item.key)["VersionId"]
        assert (item.version_id, item.etag) == (
            newest,
            md5(tiny("new"), usedforsecurity=False).hexdigest(),
        )

    def test_keep_what_the_museum_restricts_from_the_model(self, museum: Museum) -> None:
        museum.put("a.jpg", "b.jpg", "c.jpg")

        report = museum.hand_in(
            "object_number,filename,sensitivity,ai_processing\n"
            "1,a.jpg,restricted,\n2,b.jpg,,denied\n3,c.jpg,review,\n"
        )

        assert [item.state for item in museum.items(report)] == ["withheld", "withheld", "waiting"]
        assert (report.accepted, report.withheld) == (3, 2)

    @pytest.mark.parametrize(
        ("rows", "primary"),
        [
            ("1,a.jpg,back,1,\n1,b.jpg,front,2,\n", ["b.jpg"]),
            ("1,a.jpg,,3,\n1,b.jpg,,2,\n", ["b.jpg"]),
            ("1,a.jpg,,,\n1,b.jpg,,,\n", ["a.jpg"]),
            ("1,a.jpg,front,1,\n1,b.jpg,detail,2,y\n", ["b.jpg"]),
            ("1,a.jpg,front,1,n\n1,b.jpg,back,2,\n", ["b.jpg"]),
            ("1,a.jpg,front,1,n\n1,b.jpg,back,2,n\n", []),
            ("1,a.jpg,back,1,\n2,b.jpg,back,1,\n", ["a.jpg", "b.jpg"]),
            ("1,gone.jpg,front,1,y\n1,b.jpg,back,2,\n", ["b.jpg"]),
        ],
    )
    def test_have_one_primary_view_for_each_object(
        self, museum: Museum, rows: str, primary: list[str]
    ) -> None:
        museum.put("a.jpg", "b.jpg")

        report = museum.hand_in("object_number,filename,view,sequence,primary\n" + rows)

        chosen = [
            item.key.removeprefix("paintings/") for item in museum.items(report) if item.is_primary
        ]
        assert chosen == primary

    def test_find_their_files_beside_the_manifest_before_the_prefix(self, museum: Museum) -> None:
        museum.put("a.jpg", "b.jpg", "2026/a.jpg")

        report = museum.hand_in("object_number,filename\n1,a.jpg\n2,b.jpg\n", name="2026/list.csv")

        assert [item.key for item in museum.items(report)] == [
            "paintings/2026/a.jpg",
            "paintings/b.jpg",
        ]

    def test_may_be_described_from_our_own_bucket(
        self, museum: Museum, session: Session, settings: Settings
    ) -> None:
        museum.put("2026/a.jpg")
        museum.client.put_object(
            Bucket=settings.bucket,
            Key="submissions/2026/list-1f2e.csv",
            Body=b"object_number,filename\n1,a.jpg\n",
        )
        submission = museum.submission()
        submission.source = f"s3://{settings.bucket}/submissions/2026/list-1f2e.csv"

        report = receiving.receive(session, submission, museum.store)

        assert [item.key for item in museum.items(report)] == ["paintings/2026/a.jpg"]

    def test_may_come_compressed(self, museum: Museum) -> None:
        museum.put("a.jpg")
        museum.write("list.jsonl.gz", gzip.compress(b'{"object_number":"1","filename":"a.jpg"}\n'))

        report = receiving.receive(museum.session, museum.submission("list.jsonl.gz"), museum.store)

        assert report.accepted == 1

    @pytest.mark.parametrize(
        "number", ["1925/12", "SK.A.12-b", "inv. 7 (recto)", "ÁB 12", "国宝 3", "&%?#"]
    )
    def test_keep_the_object_number_letter_by_letter(self, museum: Museum, number: str) -> None:
        museum.put("große Datei.jpg")

        report = museum.hand_in(f"object_number,filename\n{number},große Datei.jpg\n")

        assert [item.object_number for item in museum.items(report)] == [number]


class TestRefusedRows:
    def test_say_which_file_may_have_been_meant(self, museum: Museum) -> None:
        museum.put("A.JPG", "b.tif", "deep/c.jpg", "é.jpg", "one/d.jpg", "two/d.jpg")

        report = museum.hand_in(
            "object_number,filename\n1,a.jpg\n2,b.jpg\n3,c.jpg\n4,e\u0301.jpg\n5,d.jpg\n6,x.jpg\n"
        )

        said = {each.row_number: each.sentence for each in museum.refusals(report)}
        place = f"s3://{museum.bucket.name}/paintings/"
        assert said == {
            2: f'There is no file "a.jpg" in {place}; did you mean "A.JPG"?',
            3: f'There is no file "b.jpg" in {place}; did you mean "b.tif"?',
            4: f'There is no file "c.jpg" in {place}; did you mean "deep/c.jpg"?',
            5: f'There is no file "e\u0301.jpg" in {place}; did you mean "é.jpg"?',
            6: f'There is no file "d.jpg" in {place}.',
            7: f'There is no file "x.jpg" in {place}.',
        }
        assert (report.rows_read, report.accepted, report.partial) == (6, 0, True)
        assert [(group.code, group.count) for group in report.refused] == [("missing_file", 6)]
        assert len(report.refused[0].examples) == 3

    def test_suggest_what_to_write_in_this_manifest(self, museum: Museum) -> None:
        museum.put("2026/deep/A.jpg", "old/b.jpg")

        report = museum.hand_in(
            "object_number,filename\n1,deep/a.jpg\n2,B.jpg\n", name="2026/list.csv"
        )

        sentences = [each.sentence for each in museum.refusals(report)]
        assert [sentence.partition("; ")[2] for sentence in sentences] == [
            'did you mean "deep/A.jpg"?',
            'did you mean "old/b.jpg"?',
        ]

    def test_name_the_fault_of_the_row_itself_first(self, museum: Museum) -> None:
        museum.put("a.jpg", "a.gif")
        museum.write("empty.jpg", b"")

        report = museum.hand_in(
            "object_number,filename,embargo_until\n"
            "1,a.jpg,31.12.2031\n1,a.gif,\n1,a.jpg,\n1,a.jpg,\n1,empty.jpg,\n"
        )

        assert [(each.row_number, each.code) for each in museum.refusals(report)] == [
            (2, "bad_date"),
            (3, "unsupported_type"),
            (5, "duplicate_row"),
            (6, "empty_file"),
        ]
        assert [item.row_number for item in museum.items(report)] == [4]
        assert report.rows_read == 5

    def test_one_file_may_show_several_objects(self, museum: Museum) -> None:
        museum.put("pair.jpg")

        report = museum.hand_in("object_number,filename\n1a,pair.jpg\n1b,pair.jpg\n")

        assert report.accepted == 2

    @pytest.mark.parametrize("column", ["md5", "etag"])
    def test_compare_the_checksum_that_the_store_knows(self, museum: Museum, column: str) -> None:
        museum.put("a.jpg", "b.jpg")
        right = md5(tiny("a.jpg"), usedforsecurity=False).hexdigest()

        report = museum.hand_in(
            f"object_number,filename,{column}\n1,a.jpg,{right}\n2,b.jpg,{right}\n"
        )

        assert report.accepted == 1
        assert museum.codes(report) == {"b.jpg": "checksum_mismatch"}

    def test_do_not_compare_an_md5_with_the_etag_of_an_upload_in_parts(
        self, museum: Museum, session: Session
    ) -> None:
        parts = f"{'0' * 32}-2"
        store = _Renamed(museum.store, etag=parts)
        museum.put("a.jpg")
        museum.write("manifest.csv", f"object_number,filename,md5\n1,a.jpg,{'1' * 32}\n".encode())

        report = receiving.receive(session, museum.submission(), store)

        assert [item.etag for item in museum.items(report)] == [parts]

    def test_leave_the_checksum_of_the_content_to_the_reading(self, museum: Museum) -> None:
        museum.put("a.jpg")
        digest = sha256(tiny("a.jpg"))

        report = museum.hand_in(f"object_number,filename,sha256\n1,a.jpg,{digest.hexdigest()}\n")

        assert [item.sha256 for item in museum.items(report)] == [digest.digest()]

    def test_tell_which_pictures_nobody_named(self, museum: Museum) -> None:
        museum.put("2026/a.jpg", "2026/b.jpg", "2026/a.xmp", "2026/Thumbs.db", "2025/c.jpg")
        museum.put("2026/bad.jpg", "2026/old.jpg")
        museum.hand_in("object_number,filename\n9,old.jpg\n", name="2026/first.csv")

        report = museum.hand_in(
            "object_number,filename,date,embargo_until\n1,a.jpg,,\n2,bad.jpg,,soon\n",
            name="2026/list.csv",
        )

        codes = museum.codes(report)
        assert codes == {"bad.jpg": "bad_date", "2026/b.jpg": "file_without_row"}
        assert (report.files_without_row, report.rows_read) == (1, 2)
        assert [group.code for group in report.refused] == ["bad_date"]


class TestHandingInAgain:
    MANIFEST = "object_number,filename,title\n1,a.jpg,A\n2,b.jpg,B\n3,gone.jpg,C\n"

    def test_the_same_changes_nothing(self, museum: Museum, session: Session) -> None:
        museum.put("a.jpg", "b.jpg")
        first = museum.hand_in(self.MANIFEST)

        again = museum.hand_in(self.MANIFEST, name="copy.csv")

        assert (again.state, again.same_as_id) == (SubmissionState.UNCHANGED, first.submission_id)
        assert again.same_as_at is not None
        assert not again.partial
        assert session.scalar(select(func.count(Item.id))) == 2
        assert session.scalar(select(func.count(Refusal.id))) == 1

    def test_a_file_that_was_replaced_becomes_an_item(self, museum: Museum) -> None:
        museum.put("a.jpg", "b.jpg")
        museum.hand_in(self.MANIFEST)
        museum.write("b.jpg", tiny("rescanned"))

        again = museum.hand_in(self.MANIFEST)

        assert [item.object_number for item in museum.items(again)] == ["2"]
        assert museum.codes(again) == {"a.jpg": "already_submitted", "gone.jpg": "missing_file"}

    def test_changed_words_become_an_item_and_changing_them_back_too(self, museum: Museum) -> None:
        museum.put("a.jpg")
        museum.hand_in("object_number,filename,title\n1,a.jpg,Dawn\n")

        changed = museum.hand_in("object_number,filename,title\n1,a.jpg,Dusk\n")
        back = museum.hand_in("object_number,filename,title,x_why\n1,a.jpg,Dawn,\n")

        assert (changed.accepted, back.accepted) == (1, 1)

    def test_the_address_of_an_image_service_is_kept_and_another_one_is_news(
        self, museum: Museum
    ) -> None:
        museum.put("a.jpg")
        row = "object_number,filename,iiif_image\n1,a.jpg,https://iiif.example/{}/info.json\n"

        first, same, other = (
            museum.hand_in(row.format(n) + end) for n, end in ((1, ""), (1, "\n"), (2, ""))
        )

        assert [one.accepted for one in (first, same, other)] == [1, 0, 1]
        assert museum.items(other)[0].iiif_image == "https://iiif.example/2"

    def test_another_language_of_the_collection_is_news_too(self, museum: Museum) -> None:
        museum.put("a.jpg")
        museum.hand_in("object_number,filename\n1,a.jpg\n")
        collections.change(museum.session, museum.collection, {"language": "fr"})

        again = museum.hand_in("object_number,filename\n1,a.jpg\n")

        assert [one.language for one in museum.items(again)] == ["fr"]

    def test_a_grown_list_brings_only_what_is_new(self, museum: Museum) -> None:
        museum.put("front.jpg", "back.jpg")
        museum.hand_in("object_number,filename,view\n1,front.jpg,front\n")

        grown = museum.hand_in("object_number,filename,view\n1,front.jpg,front\n1,back.jpg,back\n")

        (back,) = museum.items(grown)
        assert (back.view, back.is_primary) == ("back", False)
        assert [group.code for group in grown.refused] == ["already_submitted"]
        assert not grown.partial


class TestFolders:
    def test_take_object_numbers_from_file_names(self, museum: Museum) -> None:
        museum.put("SK-A-1.jpg", "deep/1925.12.3.tif", "SK-A-1.xmp", ".DS_Store")

        report = museum.hand_in_folder()

        assert [(item.object_number, item.row_number) for item in museum.items(report)] == [
            ("SK-A-1", 1),
            ("1925.12.3", 2),
        ]
        assert report.refused == ()

    def test_take_one_file_for_each_object_and_no_master(self, museum: Museum) -> None:
        museum.put("1.tif", "1.jpg", "2.pdf", "other/1.png")

        report = museum.hand_in_folder()

        assert [item.key for item in museum.items(report)] == ["paintings/1.jpg"]
        assert museum.codes(report) == {
            "1.tif": "second_file",
            "other/1.png": "second_file",
            "2.pdf": "unsupported_type",
        }
        assert "(1.jpg)" in museum.refusals(report)[0].sentence

    def test_are_handed_in_by_the_manifest_that_lies_in_them(self, museum: Museum) -> None:
        museum.put("2026/a.jpg")
        museum.write("2026/manifest.csv", b"object_number,filename\nX.7,a.jpg\n")

        report = museum.hand_in_folder("2026/")

        assert [item.object_number for item in museum.items(report)] == ["X.7"]

    def test_without_a_picture_are_refused(self, museum: Museum) -> None:
        report = museum.hand_in_folder("nothing/")

        assert report.state is SubmissionState.REFUSED
        assert "there is no image in" in (report.refusal or "")


class TestTheWhole:
    @pytest.mark.parametrize(
        ("manifest", "reason"),
        [
            ("object_number,filname\n1,a.jpg\n", "did you mean"),
            ("object_number,filename\n", "no rows"),
            ("", "empty"),
        ],
    )
    def test_is_refused_when_its_manifest_cannot_be_used(
        self, museum: Museum, session: Session, manifest: str, reason: str
    ) -> None:
        museum.put("a.jpg")

        report = museum.hand_in(manifest)

        assert report.state is SubmissionState.REFUSED
        assert reason in (report.refusal or "")
        assert session.scalar(select(func.count(Item.id))) == 0

    def test_is_refused_when_its_manifest_is_not_there(self, museum: Museum) -> None:
        report = receiving.receive(museum.session, museum.submission("no.csv"), museum.store)

        assert "no object 'paintings/no.csv'" in (report.refusal or "")

    def test_is_left_alone_when_the_store_stops_in_the_middle(
        self, museum: Museum, session: Session
    ) -> None:
        museum.put("a.jpg", "b.jpg")
        museum.write("manifest.csv", b"object_number,filename\n1,a.jpg\n")
        submission = museum.submission()

        with pytest.raises(UnavailableError):
            receiving.receive(session, submission, _Breaking(museum.store))

        assert submission.state is SubmissionState.RECEIVING
        assert receiving.receive(session, submission, museum.store).accepted == 1

    def test_is_received_once(self, museum: Museum, session: Session) -> None:
        museum.put("a.jpg")
        museum.write("manifest.csv", b"object_number,filename\n1,a.jpg\n")
        submission = museum.submission()
        receiving.receive(session, submission, museum.store)

        with pytest.raises(ConflictError):
            receiving.receive(session, submission, museum.store)


class _Store:
    """A real store of which one thing is different."""

    def __init__(self, store: Store) -> None:
        self.exists, self.head, self.copy_pinned = store.exists, store.head, store.copy_pinned
        self._store = store

    def read_piece(self, pinned: ObjectVersion, start: int, length: int) -> bytes:
        return self._store.read_piece(pinned, start, length)


class _Renamed(_Store):
    def __init__(self, store: Store, *, etag: str) -> None:
        super().__init__(store)
        self._etag = etag

    def list(self, bucket: str, prefix: str) -> Iterator[ObjectVersion]:
        for found in self._store.list(bucket, prefix):
            yield replace(found, etag=self._etag)

    def read_piece(self, pinned: ObjectVersion, start: int, length: int) -> bytes:
        return self._store.read_piece(self._store.head(pinned.bucket, pinned.key), start, length)


class _Breaking(_Store):
    def list(self, bucket: str, prefix: str) -> Iterator[ObjectVersion]:
        yield next(self._store.list(bucket, prefix))
        raise UnavailableError("the object store does not answer")


class TestALargeHandIn:
    @pytest.mark.usefixtures("settings")
    def test_needs_the_memory_of_a_small_one(self) -> None:
        bench.measure(500)

        tracemalloc.start()
        bench.measure(20_000)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

        assert peak < 20_000_000


class TestNumberPattern:
    def _hand_in(self, museum: Museum, pattern: str, *, manifest: str | None = None) -> Report:
        if manifest:
            museum.write("manifest.csv", manifest.encode())
        submission = museum.submission("")
        submission.number_pattern = pattern
        return receiving.receive(museum.session, submission, museum.store)

    def test_tells_numbers_and_views_of_files_without_a_manifest(self, museum: Museum) -> None:
        museum.put("1925.12.3_v02.jpg", "1925.12.3_v01.jpg", "notes.jpg")

        report = self._hand_in(museum, r"(?P<number>[^/]+)_v(?P<sequence>\d+)")

        items = museum.items(report)
        assert {item.object_number for item in items} == {"1925.12.3"}
        assert [item.sequence for item in items if item.is_primary] == [1]
        assert museum.codes(report) == {"notes.jpg": "no_object_number"}

    def test_fills_only_what_a_row_leaves_empty(self, museum: Museum) -> None:
        museum.put("A_front.jpg", "B_back.jpg")
        rows = "object_number,filename,view\n,A_front.jpg,\nmine,B_back.jpg,\n"

        report = self._hand_in(museum, "(?P<number>.)_(?P<view>[a-z]+)", manifest=rows)

        items = museum.items(report)
        assert [(item.object_number, item.view) for item in items] == [
            ("A", "front"),
            ("mine", None),
        ]

    def test_changed_makes_another_hand_in(self, museum: Museum) -> None:
        museum.put("A_1.jpg")
        self._hand_in(museum, "(?P<number>[A-Z])")

        report = self._hand_in(museum, r"(?P<number>\w+)")

        assert (report.state, report.accepted) == (SubmissionState.RECEIVED, 1)
