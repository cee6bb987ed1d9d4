import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from predella.formats.text import normalise
from tests.predella.formats import hostile

anything = st.text(st.characters(exclude_categories=[]))


class TestNormalise:
    @given(anything)
    def test_gives_what_every_format_can_carry(self, text: str) -> None:
        normal = normalise(text)

        etree.Element("text").text = normal
        assert normal.encode().decode() == normal
        assert unicodedata.is_normalized("NFC", normal)

    @given(anything)
    def test_changes_nothing_the_second_time(self, text: str) -> None:
        assert normalise(normalise(text)) == normalise(text)

    @given(anything)
    def test_survives_an_xml_parser(self, text: str) -> None:
        element = etree.Element("text")
        element.text = normalise(text)

        assert (etree.fromstring(etree.tostring(element)).text or "") == normalise(text)

    @pytest.mark.parametrize(
        ("text", "normal"),
        [
            ("Cafe\u0301", "Caf\u00e9"),
            ("one\r\ntwo\rthree\u2028four\x0bfive", "one\ntwo\nthree\nfour\nfive"),
            ("a\tb\nc", "a\tb\nc"),
            ("nul\x00 surrogate\ud800 mark\ufeff", "nul surrogate mark"),
            ("hid\ufe01\U000e01ef\U000e0041den", "hidden"),
            ("\u0645\u06cc\u200c\u062e\u0648", "\u0645\u06cc\u200c\u062e\u0648"),
            ("e\x00\u0301", "\u00e9"),
        ],
    )
    def test_mends(self, text: str, normal: str) -> None:
        assert normalise(text) == normal

    @pytest.mark.parametrize("name", hostile.RAW)
    def test_leaves_nothing_a_database_refuses(self, name: str) -> None:
        assert "\0" not in normalise(hostile.RAW[name])
