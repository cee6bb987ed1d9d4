from predella.formats.headers import datasets
from tests import pictures


class TestValues:
    def test_are_all_of_a_dataset(self) -> None:
        block = pictures.datasets((2, 103, b"A"), (2, 5, b"B"), (2, 103, b"C"))

        assert datasets.values(block, (2, 103)) == ["A", "C"]

    def test_are_read_in_the_characters_that_the_block_names(self) -> None:
        named = (1, 90, b"\x1b%G")

        assert datasets.values(pictures.datasets(named, (2, 5, "é".encode())), (2, 5)) == ["é"]
        assert datasets.values(pictures.datasets((2, 5, "é".encode())), (2, 5)) == ["é"]
        assert datasets.values(pictures.datasets((2, 5, b"\xe9")), (2, 5)) == ["é"]
        assert datasets.values(pictures.datasets(named, (2, 5, b"\xe9")), (2, 5)) == ["\ufffd"]

    def test_end_where_the_block_is_damaged(self) -> None:
        block = pictures.datasets((2, 5, b"A"), (2, 5, b"B"))

        assert datasets.values(block[:7] + b"\0" + block[8:], (2, 5)) == ["A"]


class TestInResources:
    def test_is_found_behind_others(self) -> None:
        block = b"8BIM\x03\xed\3odd\0\0\0\1x\0" + b"8BIM\x04\x04\0\0\0\0\0\4abcd"

        assert datasets.in_resources(block) == b"abcd"

    def test_is_nothing_where_there_is_none(self) -> None:
        assert datasets.in_resources(b"") == b""
        assert datasets.in_resources(b"8BIM\x03\xed\0\0\xff\xff\xff\xff") == b""
