import pytest

from predella.checks import Wording


class TestSentences:
    @pytest.mark.parametrize(
        ("text", "sentences"),
        [
            ("One stands. Two sit.", ["One stands.", "Two sit."]),
            ("It is c. 1650 in style. So be it.", ["It is c. 1650 in style.", "So be it."]),
            ("By J. M. Turner. And St. Mark.", ["By J. M. Turner.", "And St. Mark."]),
            ("“It is.” “Is it?” Yes…", ["“It is.”", "“Is it?”", "Yes…"]),
            ("Line: level.\n\nColour: green", ["Line: level.", "Colour: green"]),
            ("光は左から。影は右へ。", ["光は左から。", "影は右へ。"]),
            ("0.2 of it is red. 3 are not.", ["0.2 of it is red. 3 are not."]),
            ("  \n ", []),
        ],
    )
    def test_end_where_a_reader_stops(self, text: str, sentences: list[str]) -> None:
        wording = Wording(text)

        assert [text[start:end] for start, end in wording.sentences] == sentences

    def test_belong_to_every_place_in_them(self) -> None:
        wording = Wording("One stands. Two sit. Three lie.")

        assert wording.sentence_at(0) == (0, 11)
        assert wording.sentence_at(13) == (12, 20)
        assert wording.passage((8, 14)) == (0, 20)
        assert Wording("").sentence_at(0) == (0, 0)


def test_places_are_those_of_the_text_whatever_quotation_marks_it_has() -> None:
    text = "The “light”—as one says—is the painter\u2019s. \U0001f5bc It falls."

    wording = Wording(text)

    assert len(wording.plain) == len(text)
    assert [text[word.start : word.end].lower() for word in wording.words][-3:] == [
        "painter\u2019s",
        "it",
        "falls",
    ]


class TestWithout:
    @pytest.mark.parametrize(
        ("text", "words", "rest"),
        [
            ("One stands. Two sit. Three lie.", "One", "Two sit. Three lie."),
            ("One stands. Two sit. Three lie.", "sit", "One stands. Three lie."),
            ("One stands. Two sit. Three lie.\n", "lie", "One stands. Two sit."),
            ("One stands. Two sit. Three lie.", "stands. Two", "Three lie."),
            ("One stands.  Two sit. Three lie.", "Two", "One stands.  Three lie."),
            ("One stands.\n\nTwo sit. Three lie.", "Two", "One stands.\n\nThree lie."),
            ("One stands. Two sit.\n\nThree lie.", "Two", "One stands.\n\nThree lie."),
            ("光は左から。影は右へ。色は青。", "影", "光は左から。色は青。"),
            (" One stands. ", "One", ""),
        ],
    )
    def test_leaves_the_other_sentences_and_one_gap(self, text: str, words: str, rest: str) -> None:
        start = text.index(words)

        assert Wording(text).without((start, start + len(words))) == rest
