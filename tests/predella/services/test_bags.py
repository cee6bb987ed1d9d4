from hashlib import md5, sha256

import pytest
from sqlalchemy.orm import Session

from predella.models import SubmissionState
from tests.pictures import tiny
from tests.predella.services.hand_ins import Museum
from tests.services import Bucket

CATALOG = "object_number,filename\n1,a.jpg\n2,sub/b.jpg\n"


@pytest.fixture
def museum(session: Session, s3: Bucket) -> Museum:
    museum = Museum(session, s3)
    museum.put("bag/data/a.jpg", "bag/data/sub/b.jpg")
    museum.write("bag/bagit.txt", b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n")
    return museum


def _digest(name: str) -> bytes:
    return sha256(f"image bag/data/{name}".encode()).digest()


def _list(museum: Museum, *names: str) -> None:
    lines = (f"{_digest(name).hex()}  data/{name}\n" for name in names)
    museum.write("bag/manifest-sha256.txt", "".join(lines).encode())


class TestBag:
    def test_pins_the_checksums_of_the_rows_of_its_own_manifest(self, museum: Museum) -> None:
        museum.write("bag/data/manifest.csv", CATALOG.encode())
        _list(museum, "a.jpg", "sub/b.jpg")

        report = museum.hand_in_folder("bag/")

        items = museum.items(report)
        assert [item.object_number for item in items] == ["1", "2"]
        assert [item.sha256 for item in items] == [_digest("a.jpg"), _digest("sub/b.jpg")]
        assert report.refused == ()

    def test_without_a_manifest_gives_one_object_for_each_file(self, museum: Museum) -> None:
        _list(museum, "a.jpg", "sub/b.jpg")

        report = museum.hand_in_folder("bag/")

        assert {item.object_number for item in museum.items(report)} == {"a", "b"}
        assert report.rows_read == 2

    def test_reports_what_it_lists_and_lacks_and_what_it_does_not_list(
        self, museum: Museum
    ) -> None:
        museum.write("bag/data/manifest.csv", CATALOG.encode())
        _list(museum, "a.jpg", "lost.jpg")

        report = museum.hand_in_folder("bag/")

        assert museum.codes(report) == {"sub/b.jpg": "not_in_bag", "lost.jpg": "missing_from_bag"}
        assert report.partial

    def test_refuses_a_row_that_contradicts_it(self, museum: Museum) -> None:
        rows = f"object_number,filename,sha256\n1,a.jpg,{'ab' * 32}\n"
        museum.write("bag/data/manifest.csv", rows.encode())
        _list(museum, "a.jpg", "sub/b.jpg")

        report = museum.hand_in_folder("bag/")

        assert museum.codes(report)["a.jpg"] == "checksum_mismatch"

    def test_by_md5_refuses_a_file_that_the_store_knows_to_be_another(self, museum: Museum) -> None:
        right = md5(tiny("bag/data/a.jpg"), usedforsecurity=False).hexdigest()
        lines = f"{right}  data/a.jpg\n{'ab' * 16}  data/sub/b.jpg\n"
        museum.write("bag/manifest-md5.txt", lines.encode())

        report = museum.hand_in_folder("bag/")

        assert [item.object_number for item in museum.items(report)] == ["a"]
        assert set(museum.codes(report).values()) == {"checksum_mismatch"}

    def test_made_anew_with_other_checksums_is_another_hand_in(self, museum: Museum) -> None:
        _list(museum, "a.jpg")
        museum.hand_in_folder("bag/")
        same = museum.hand_in_folder("bag/")
        _list(museum, "a.jpg", "sub/b.jpg")

        report = museum.hand_in_folder("bag/")

        assert same.state is SubmissionState.UNCHANGED
        assert (report.state, report.accepted) == (SubmissionState.RECEIVED, 1)

    def test_with_files_elsewhere_is_refused_with_advice(self, museum: Museum) -> None:
        _list(museum, "a.jpg")
        museum.write("bag/fetch.txt", b"https://museum.example/b.jpg 12 data/b.jpg\n")

        report = museum.hand_in_folder("bag/")

        assert report.state is SubmissionState.REFUSED
        assert "complete the bag" in (report.refusal or "")
