import numpy as np
import pytest

from worker.training.demo import attributes, words


def _claims(number: int) -> words.Claims:
    rng = np.random.default_rng(number)
    claims = {a: str(rng.choice(values)) for a, values in attributes.VALUES.items()}
    return claims | ({"accent": "none"} if claims["accent"] == claims["ground"] else {})


class TestParagraph:
    def test_states_what_is_read_back_from_it(self) -> None:
        for number in range(1500):
            claims = _claims(number)
            assert words.parse(words.paragraph(claims)) == claims

    def test_keeps_to_the_length_of_a_short_analysis(self) -> None:
        lengths = [len(words.paragraph(_claims(number)).split()) for number in range(500)]

        assert min(lengths) >= 60
        assert max(lengths) <= 110

    def test_varies_with_the_picture(self) -> None:
        texts = [words.paragraph(_claims(number)) for number in range(200)]
        openings = {text.split(".")[0] for text in texts}

        assert len(set(texts)) > 190
        assert len(openings) == 12


class TestParse:
    def test_leaves_out_what_a_text_is_silent_about(self) -> None:
        assert words.parse("A painting of a horse.") == {}

    def test_leaves_out_what_a_text_says_in_two_ways(self) -> None:
        text = "Warm hues prevail, and cool hues prevail. It keeps a low, dark key."

        assert words.parse(text) == {"key": "dark"}

    def test_does_not_take_part_of_a_word_for_the_word(self) -> None:
        assert "direction" not in words.parse("Downright edges set the pace.")


class TestSpans:
    def test_mark_the_phrases_and_nothing_else(self) -> None:
        claims = _claims(3)
        text = words.paragraph(claims)

        marked = {attribute: text[start:end] for attribute, start, end in words.spans(text, claims)}

        assert marked.keys() == claims.keys()
        for attribute, phrase in marked.items():
            lowered = phrase[0].lower() + phrase[1:]
            assert lowered in words.PHRASES[attribute][claims[attribute]]


class TestPhrases:
    @pytest.mark.parametrize("attribute", attributes.VALUES)
    def test_have_words_for_every_value(self, attribute: str) -> None:
        assert set(words.PHRASES[attribute]) == set(attributes.VALUES[attribute])

    def test_contain_no_other_phrase(self) -> None:
        phrases = [
            phrase
            for values in words.PHRASES.values()
            for pair in values.values()
            for phrase in pair
        ]

        for phrase in phrases:
            others = [other for other in phrases if f" {phrase} " in f" {other} "]
            assert others == [phrase]
