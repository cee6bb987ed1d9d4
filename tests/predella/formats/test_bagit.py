import io

import pytest

from predella.formats import bagit
from predella.formats.bagit import BagError, Entry

DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"


class TestCheckDeclaration:
    def test_takes_a_bag_with_a_byte_order_mark_and_windows_line_ends(self) -> None:
        bagit.check_declaration(b"\xef\xbb\xbf" + DECLARATION.replace(b"\n", b"\r\n"))

    @pytest.mark.parametrize(
        ("declaration", "words"),
        [
            (b"", "version ''"),
            (DECLARATION.replace(b"1.0", b"2.0"), "version '2.0'"),
            (DECLARATION.replace(b"UTF-8", b"ISO-8859-1"), "ISO-8859-1"),
            (b"BagIt-Version: 1.0 \xe9", "not UTF-8"),
        ],
    )
    def test_refuses_others(self, declaration: bytes, words: str) -> None:
        with pytest.raises(BagError, match=words):
            bagit.check_declaration(declaration)


class TestAlgorithmOf:
    def test_is_the_best_that_can_be_held_against_a_file(self) -> None:
        assert bagit.algorithm_of(["manifest-md5.txt", "manifest-sha256.txt"]) == "sha256"

    @pytest.mark.parametrize(
        ("names", "words"),
        [
            (["manifest-sha512.txt"], "no manifest-sha256.txt"),
            (["fetch.txt", "manifest-sha256.txt"], "fetch.txt"),
        ],
    )
    def test_refuses_what_cannot_be_verified(self, names: list[str], words: str) -> None:
        with pytest.raises(BagError, match=words):
            bagit.algorithm_of(names)


class TestEntries:
    def _read(self, text: str) -> list[Entry]:
        return list(bagit.entries(io.BytesIO(text.encode()), "md5"))

    def test_are_paths_with_spaces_stars_and_escapes(self) -> None:
        digest = "AB" * 16

        found = self._read(f"{digest}  data/É a.jpg\r\n{digest} *./data/100%25%0a.jpg\n\n")

        assert [entry.path for entry in found] == ["data/É a.jpg", "data/100%\n.jpg"]
        assert {entry.digest for entry in found} == {b"\xab" * 16}

    @pytest.mark.parametrize(
        ("line", "words"),
        [
            ("abc  data/a.jpg", "line 1 is not a checksum"),
            (f"{'ab' * 16}  ../a.jpg", "outside data/"),
            (f"{'ab' * 16}  data/../../a.jpg", "outside data/"),
        ],
    )
    def test_refuse_a_line_that_cannot_be_right(self, line: str, words: str) -> None:
        with pytest.raises(BagError, match=words):
            self._read(line)
