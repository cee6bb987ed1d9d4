from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session

from predella.errors import UnavailableError
from predella.models import SubmissionState
from predella.services import headers, receiving
from predella.services.reports import Report
from predella.settings import Settings
from predella.storage import ObjectVersion, Store
from tests.pictures import artworks, datasets, packet, picture, tiny
from tests.predella.services.hand_ins import Museum
from tests.services import Bucket

ARTWORK = "Iptc4xmpExt:ArtworkOrObject/AOSourceInvNo"


@pytest.fixture
def museum(session: Session, s3: Bucket) -> Museum:
    return Museum(session, s3)


def hand_in(museum: Museum, *, store: Any = None, source: str = "", **numbering: str) -> Report:
    submission = museum.submission(source)
    for name, said in numbering.items():
        setattr(submission, name, said)
    return receiving.receive(museum.session, submission, store or museum.store)


def numbers(museum: Museum, report: Report) -> list[tuple[str, str]]:
    """Object number and file of every item, sorted."""
    skip = len("paintings/")
    return sorted((item.object_number, item.key[skip:]) for item in museum.items(report))


class Watched:
    """A real store that tells what was fetched of it, and may fail."""

    def __init__(self, store: Store, *, failing: Callable[[str], None] = lambda _: None) -> None:
        self.list, self.exists = store.list, store.exists
        self.head, self.copy_pinned = store.head, store.copy_pinned
        self.fetched: list[tuple[str, int, int]] = []
        self._store, self._failing = store, failing

    def read_piece(self, pinned: ObjectVersion, start: int, length: int) -> bytes:
        self._failing(pinned.key)
        self.fetched.append((pinned.key, start, length))
        return self._store.read_piece(pinned, start, length)


class TestUnreadable:
    def test_pictures_are_refused_before_anything_is_queued(self, museum: Museum) -> None:
        museum.put("fine.png")
        museum.write("page.jpg", b"<html>503 Service Unavailable</html>")
        museum.write("cut.tif", picture("TIFF")[:60])
        museum.write("zeros.tif", bytes(100_000))
        museum.write("thumb.jpg", tiny(side=15))
        museum.write("named-otherwise.jpg", picture("TIFF"))
        museum.write("scan.jp2", picture("JPEG2000"))

        report = hand_in(museum)

        assert museum.codes(report) == dict.fromkeys(
            ("page.jpg", "cut.tif", "zeros.tif", "thumb.jpg"), "unreadable"
        )
        said = {each.filename: each.sentence for each in museum.refusals(report)}
        assert "This is not a JPEG" in said["page.jpg"]
        assert "Upload it again" in said["cut.tif"]
        assert "15 x 15 pixels" in said["thumb.jpg"]
        assert (report.accepted, report.partial) == (3, True)

    def test_pictures_outside_the_limits_are(
        self, museum: Museum, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        limited = settings.model_copy(update={"max_image_pixels": 400, "max_image_bytes": 1_000})
        monkeypatch.setattr(headers, "get_settings", lambda: limited)
        museum.write("wide.jpg", tiny(side=21))
        museum.write("heavy.jpg", tiny("x" * 1_000))
        museum.put("fine.jpg")

        report = hand_in(museum)

        assert set(museum.codes(report).values()) == {"unreadable"}
        said = {each.filename: each.sentence for each in museum.refusals(report)}
        assert "at most 400 are taken" in said["wide.jpg"]
        assert "at most 1,000 are taken" in said["heavy.jpg"]

    def test_rows_are_all_those_of_one_file_and_other_faults_stay_what_they_are(
        self, museum: Museum
    ) -> None:
        museum.write("bad.jpg", b"no picture")
        museum.write("empty.jpg", b"")

        report = museum.hand_in(
            "object_number,filename,date,embargo_until\n"
            "1,bad.jpg,,\n2,bad.jpg,,\n3,bad.jpg,,soon\n4,gone.jpg,,\n5,empty.jpg,,\n"
        )

        assert [each.code for each in museum.refusals(report)] == [
            *("unreadable", "unreadable"),
            *("bad_date", "missing_file", "empty_file"),
        ]

    def test_is_what_changes_between_the_listing_and_the_look(self, museum: Museum) -> None:
        museum.put("a.jpg", "b.jpg", "c.jpg")

        def replace(key: str) -> None:
            if key.endswith("a.jpg"):
                museum.write("a.jpg", tiny("another"))
            if key.endswith("b.jpg"):
                museum.client.delete_object(Bucket=museum.bucket.name, Key=key)

        report = hand_in(museum, store=Watched(museum.store, failing=replace))

        assert museum.codes(report) == {"a.jpg": "unreadable", "b.jpg": "unreadable"}
        assert "replaced or removed" in museum.refusals(report)[0].sentence


class TestFetching:
    def test_is_a_piece_of_each_picture_and_none_of_what_was_accepted_before(
        self, museum: Museum
    ) -> None:
        museum.write("a.jpg", picture("JPEG") + bytes(500_000))
        hand_in(museum)
        museum.write("b.jpg", picture("JPEG") + bytes(500_000))
        store = Watched(museum.store)

        report = hand_in(museum, store=store)

        assert report.accepted == 1
        assert store.fetched == [("paintings/b.jpg", 0, 1 << 15)]

    def test_is_nothing_when_the_very_same_is_handed_in_again(self, museum: Museum) -> None:
        museum.write("a.jpg", picture("JPEG", xmp=artworks("1")))
        hand_in(museum, number_field=ARTWORK)
        store = Watched(museum.store)

        report = hand_in(museum, store=store, number_field=ARTWORK)

        assert (report.state, store.fetched) == (SubmissionState.UNCHANGED, [])

    def test_goes_where_the_directory_lies(self, museum: Museum) -> None:
        body = picture("TIFF", xmp=artworks("1"), compression="tiff_lzw")
        start = int.from_bytes(body[4:8], "little")
        far = 3_000_000
        moved = body[:4] + (far + start).to_bytes(4, "little") + bytes(far) + body[8:]
        museum.write("a.tif", _shifted(moved, far))

        report = hand_in(museum, number_field=ARTWORK)

        assert museum.codes(report) == {}
        assert numbers(museum, report) == [("1", "a.tif")]

    def test_that_fails_leaves_all_as_it_was(self, museum: Museum) -> None:
        museum.put(*(f"{n}.jpg" for n in range(50)))
        submission = museum.submission("")

        def fail(key: str) -> None:
            if key.endswith("30.jpg"):
                raise UnavailableError("the object store does not answer")

        with pytest.raises(UnavailableError):
            receiving.receive(museum.session, submission, Watched(museum.store, failing=fail))

        assert submission.state is SubmissionState.RECEIVING
        assert receiving.receive(museum.session, submission, museum.store).accepted == 50

    def test_has_an_end_where_a_header_asks_for_more_and_more(self, museum: Museum) -> None:
        endless = b"\xff\xd8" + (b"\xff\xe1\xff\xff" + bytes(0xFFFD)) * 100
        museum.write("a.jpg", endless)
        store = Watched(museum.store)

        report = hand_in(museum, store=store)

        assert report.accepted == 1
        assert sum(length for _, _, length in store.fetched) < 2_000_000


def _shifted(body: bytes, by: int) -> bytes:
    """Move the places that the directory of a little-endian TIFF names."""
    start = int.from_bytes(body[4:8], "little")
    made = bytearray(body)
    for entry in range(
        start + 2, start + 2 + 12 * int.from_bytes(body[start : start + 2], "little"), 12
    ):
        kind, count = (
            int.from_bytes(body[entry + a : entry + b], "little") for a, b in ((2, 4), (4, 8))
        )
        if count * {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1}[kind] > 4:
            place = int.from_bytes(body[entry + 8 : entry + 12], "little") + by
            made[entry + 8 : entry + 12] = place.to_bytes(4, "little")
    return bytes(made)


class TestTheProcess:
    @pytest.fixture(autouse=True)
    def _fragile(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(headers, "_MODULE", "tests.predella.services.fragile")

    def test_that_dies_refuses_one_file_alone(self, museum: Museum) -> None:
        museum.put("a.jpg", "b.jpg", "c.jpg", "poison.jpg")

        report = hand_in(museum)

        assert museum.codes(report) == {"poison.jpg": "unreadable"}
        assert "makes its reader crash" in museum.refusals(report)[0].sentence
        assert report.accepted == 3

    def test_that_has_a_defect_leaves_the_file_to_the_decoder(self, museum: Museum) -> None:
        museum.put("a.jpg", "riddle.jpg")

        assert hand_in(museum).accepted == 2

    def test_that_cannot_be_started_refuses_no_file(
        self, museum: Museum, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(headers, "_MODULE", "predella.no_such_module")
        museum.put("a.jpg")

        with pytest.raises(UnavailableError, match="could not be started"):
            hand_in(museum)


class TestNumbers:
    def test_come_out_of_the_pictures_several_of_one_among_them(self, museum: Museum) -> None:
        museum.write("a.jpg", picture("JPEG", xmp=artworks("SK/A.1", "ÁB 12 富")))
        museum.write("b.tif", picture("TIFF", xmp=artworks("SK/A.1")))
        museum.write("c.png", picture("PNG", xmp=artworks("C", "D", "E")))

        report = hand_in(museum, number_field=ARTWORK)

        assert numbers(museum, report) == [
            *(("C", "c.png"), ("D", "c.png"), ("E", "c.png")),
            *(("SK/A.1", "a.jpg"), ("SK/A.1", "b.tif"), ("ÁB 12 富", "a.jpg")),
        ]
        rows = {item.object_number: item.row_number for item in museum.items(report)}
        assert rows["C"] == rows["D"] == rows["E"] == 3
        assert sum(item.is_primary for item in museum.items(report)) == 5
        assert (report.rows_read, report.accepted, report.refused) == (6, 6, ())

    def test_of_iim_count_as_well(self, museum: Museum) -> None:
        museum.write("a.jpg", picture("JPEG", iim=datasets((2, 103, b"1925.12.3"))))

        report = hand_in(museum, number_field="2:103")

        assert numbers(museum, report) == [("1925.12.3", "a.jpg")]

    def test_are_taken_from_the_row_then_the_picture_then_the_name(self, museum: Museum) -> None:
        for name in ("row", "picture_1", "name_2", "nothing"):
            xmp = packet("<dc:identifier>P</dc:identifier>") if name[0] in "rp" else ""
            museum.write(f"{name}.jpg", picture("JPEG", xmp=xmp, comment=name))
        rows = "R,row.jpg,A\n,picture_1.jpg,B\n,name_2.jpg,C\n,nothing.jpg,D\n,gone.jpg,E\n"
        museum.write("manifest.csv", f"object_number,filename,title\n{rows}".encode())

        report = hand_in(
            museum, number_field="dc:identifier", number_pattern=r"(?P<number>[a-z]+)_\d"
        )

        assert numbers(museum, report) == [
            *(("P", "picture_1.jpg"), ("R", "row.jpg"), ("name", "name_2.jpg")),
        ]
        assert [item.title for item in museum.items(report)] == ["A", "B", "C"]
        assert museum.codes(report) == {
            "nothing.jpg": "no_object_number",
            "gone.jpg": "missing_file",
        }
        assert museum.refusals(report)[0].sentence == (
            'The file "nothing.jpg" has no object number: its row gives none, the picture has'
            " nothing in dc:identifier, its name does not fit the pattern."
            " Write it into the picture or a manifest, and hand in again."
        )

    def test_are_never_the_names_of_files_where_the_pictures_are_to_tell_them(
        self, museum: Museum
    ) -> None:
        museum.put("SK-A-1.jpg")

        report = hand_in(museum, number_field=ARTWORK)

        assert museum.codes(report) == {"SK-A-1.jpg": "no_object_number"}
        assert (report.rows_read, report.accepted) == (1, 0)

    def test_keep_all_that_a_row_says_for_each_object(self, museum: Museum) -> None:
        museum.write("pair.jpg", picture("JPEG", xmp=artworks("1", "2")))
        museum.write(
            "manifest.csv",
            b"object_number,filename,title,room,embargo_until\n,pair.jpg,Pair,12,2031-01-02\n",
        )

        items = museum.items(hand_in(museum, number_field=ARTWORK))

        assert [
            (item.title, item.extra, str(item.embargo_until), item.is_primary) for item in items
        ] == [("Pair", {"room": "12"}, "2031-01-02", True)] * 2

    @pytest.mark.parametrize(
        ("said", "code", "words"),
        [
            (["1" * 201], "too_long", "is longer than 200 characters"),
            ([str(n) for n in range(101)], "too_many_objects", "names 101 objects"),
        ],
    )
    def test_that_cannot_be_numbers_refuse_the_row(
        self, museum: Museum, said: list[str], code: str, words: str
    ) -> None:
        museum.write("a.jpg", picture("JPEG", xmp=artworks(*said)))

        report = hand_in(museum, number_field=ARTWORK, number_pattern="(?P<number>a)")

        (refusal,) = museum.refusals(report)
        assert (refusal.code, words in refusal.sentence) == (code, True)

    def test_with_damaged_characters_refuse_the_row(self, museum: Museum) -> None:
        iim = datasets((1, 90, b"\x1b%G"), (2, 103, b"A\xe9"))
        museum.write("a.jpg", picture("JPEG", iim=iim))

        report = hand_in(museum, number_field="2:103", number_pattern="(?P<number>a)")

        assert museum.codes(report) == {"a.jpg": "bad_encoding"}

    def test_are_read_again_of_a_picture_that_is_known(self, museum: Museum) -> None:
        museum.write("a.jpg", picture("JPEG", xmp=artworks("1", "2")))
        hand_in(museum, number_field=ARTWORK)
        museum.write("b.jpg", picture("JPEG", xmp=artworks("3")))

        again = hand_in(museum, number_field=ARTWORK)

        assert numbers(museum, again) == [("3", "b.jpg")]
        assert museum.codes(again) == {"a.jpg": "already_submitted"}
        assert not again.partial

    def test_of_another_field_make_another_hand_in(self, museum: Museum) -> None:
        xmp = packet("<dc:identifier>1</dc:identifier><photoshop:City>X</photoshop:City>")
        museum.write("a.jpg", picture("JPEG", xmp=xmp))
        hand_in(museum, number_field="dc:identifier")

        report = hand_in(museum, number_field="photoshop:City")

        assert numbers(museum, report) == [("X", "a.jpg")]
