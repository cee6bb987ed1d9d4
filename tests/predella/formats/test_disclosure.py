from dataclasses import replace

import pytest

from predella.formats import disclosure
from predella.formats.entry import (
    CatalogEntry,
    CatalogInstitution,
    HumanInvolvement,
    TextKind,
)
from predella.formats.phrases import PHRASES
from tests.predella.formats import factories


class TestSentence:
    def test_puts_the_notice_first(self) -> None:
        assert disclosure.sentence(factories.full()).startswith(factories.NOTICE)

    def test_says_what_wrote_and_who_answers(self) -> None:
        assert disclosure.sentence(factories.full()).removeprefix(factories.NOTICE) == (
            " Formal analysis written by software (GalleryGPT, ShareGPT4V-7B, weights sha256"
            " abababababab,"
            " adapter sha256 cdcdcdcdcdcd, release efefefefefef) on 2026-01-15 from the image"
            " with sha256 121212121212. Edited by people; this wording was approved by A. Curator,"
            " Example Museum, on 2026-01-20. Editorial responsibility: Example Museum."
        )

    def test_claims_no_edit_where_there_was_none(self) -> None:
        assert "approved without changes by A. Curator" in disclosure.sentence(factories.bare())

    def test_is_in_the_language_of_the_text_where_there_are_phrases_in_it(self) -> None:
        dutch, welsh = (_written_in(language) for language in ("nl-BE", "cy"))

        assert "Formele analyse, geschreven door software" in disclosure.sentence(dutch)
        assert "Formal analysis written by software" in disclosure.sentence(welsh)
        assert (disclosure.language(dutch), disclosure.language(welsh)) == ("nl", "en")

    def test_claims_no_reader_for_a_text_accepted_by_sample(self) -> None:
        entry = factories.full()
        sampled = replace(entry, approval=replace(entry.approval, by_sample=True))

        said = disclosure.sentence(sampled)

        assert "of which a sample was read" in said
        assert "approved" not in said

    def test_leaves_braces_in_a_name_alone(self) -> None:
        entry = replace(factories.full(), institution=CatalogInstitution(name="{day} {0} %s"))

        assert "Editorial responsibility: {day} {0} %s." in disclosure.sentence(entry)


class TestPhrases:
    @pytest.mark.parametrize("language", PHRASES)
    def test_has_words_for_every_kind_and_every_involvement(self, language: str) -> None:
        phrases = PHRASES[language]

        assert set(phrases.kinds) == set(TextKind)
        assert set(phrases.reviewed) == set(HumanInvolvement)

    @pytest.mark.parametrize("language", PHRASES)
    def test_says_the_same_in_every_language(self, language: str) -> None:
        entry = _written_in(language)

        said = disclosure.sentence(entry)

        for fact in ("GalleryGPT", "2026-01-15", "A. Curator", "2026-01-20", "Example Museum."):
            assert fact in said


class TestWithdrawal:
    def test_says_when(self) -> None:
        tombstone = factories.tombstone(_written_in("nl"))

        assert disclosure.withdrawal(tombstone) == "Deze tekst is op 2026-02-01 ingetrokken."


def _written_in(language: str) -> CatalogEntry:
    entry = factories.full()
    return replace(entry, wording=replace(entry.wording, language=language))


class TestSourceType:
    def test_is_composite_only_where_people_edited(self) -> None:
        vocabulary = "http://cv.iptc.org/newscodes/digitalsourcetype/"

        types = [disclosure.source_type(entry) for entry in (factories.bare(), factories.full())]

        assert types == [
            f"{vocabulary}trainedAlgorithmicMedia",
            f"{vocabulary}compositeWithTrainedAlgorithmicMedia",
        ]
