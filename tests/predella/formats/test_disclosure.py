from predella.formats import disclosure
from tests.predella.formats import factories


class TestSentence:
    def test_puts_the_notice_first(self) -> None:
        assert disclosure.sentence(factories.full()).startswith(factories.NOTICE)

    def test_says_what_wrote_and_who_answers(self) -> None:
        assert disclosure.sentence(factories.full()).removeprefix(factories.NOTICE) == (
            " Formal analysis written by software (GalleryGPT, weights sha256 abababababab,"
            " adapter sha256 cdcdcdcdcdcd, release efefefefefef) on 2026-01-15 from the image"
            " with sha256 121212121212. Edited by people; this wording was approved by A. Curator,"
            " Example Museum, on 2026-01-20."
        )

    def test_claims_no_edit_where_there_was_none(self) -> None:
        assert "approved without changes by A. Curator" in disclosure.sentence(factories.bare())


class TestSourceType:
    def test_is_composite_only_where_people_edited(self) -> None:
        vocabulary = "http://cv.iptc.org/newscodes/digitalsourcetype/"

        types = [disclosure.source_type(entry) for entry in (factories.bare(), factories.full())]

        assert types == [
            f"{vocabulary}trainedAlgorithmicMedia",
            f"{vocabulary}compositeWithTrainedAlgorithmicMedia",
        ]
