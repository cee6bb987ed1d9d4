import pytest

from predella.errors import InvalidError
from predella.formats.manifest import Numbering


class TestParse:
    @pytest.mark.parametrize(
        ("pattern", "words"),
        [
            ("(", "no pattern that RE2 reads"),
            (r"(?P<number>a)\1", "no pattern that RE2 reads"),
            (".+", "which part is the object number"),
            ("(?P<number>a)(?P<artist>b)", "'artist' is no group"),
            ("(?P<number>" + "a" * 500 + ")", "at most 500"),
        ],
    )
    def test_refuses_what_cannot_be_used(self, pattern: str, words: str) -> None:
        with pytest.raises(InvalidError, match=words):
            Numbering.parse(pattern)


class TestOf:
    def test_tells_number_view_and_sequence(self) -> None:
        pattern = r"(?P<number>[^/]+?)(?:_(?P<view>front|back))?(?:_v(?P<sequence>\d+))?[.]\w+$"

        told = Numbering.parse(pattern).of("1925/ÁB 1925.12.3_back_v02.tif")

        assert told == {"object_number": "ÁB 1925.12.3", "view": "back", "sequence": "02"}
        assert Numbering.parse(pattern).of("plain.tif") == {"object_number": "plain"}

    def test_ends_with_a_pattern_that_backtracking_never_would(self) -> None:
        assert Numbering.parse("(?P<number>(a+)+)$").of("a" * 5_000 + "b") == {}
