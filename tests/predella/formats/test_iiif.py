from dataclasses import replace

from predella.formats import iiif
from predella.formats.entry import TextKind
from tests.predella.formats import factories


class TestManifest:
    def test_shows_the_disclosure(self) -> None:
        said = iiif.manifest(factories.bundle(factories.full()))["requiredStatement"]["value"][
            "en"
        ][0]

        assert said.startswith(factories.NOTICE)
        assert "A. Curator, Example Museum, on 2026-01-20" in said

    def test_speaks_of_the_rights_in_the_photograph(self) -> None:
        manifest = iiif.manifest(factories.bundle(factories.full()))

        assert manifest["rights"] == "http://creativecommons.org/publicdomain/zero/1.0/"

    def test_leaves_the_canvas_empty_where_there_is_no_image_service(self) -> None:
        (canvas,) = iiif.manifest(factories.bundle(factories.bare("A vase.")))["items"]

        assert canvas["items"] == []
        assert canvas["annotations"]

    def test_keeps_text_and_picture_apart(self) -> None:
        (canvas,) = iiif.manifest(factories.bundle(factories.full()))["items"]

        assert canvas["items"][0]["items"][0]["motivation"] == "painting"
        assert canvas["annotations"][0]["items"][0]["motivation"] == "describing"
        assert canvas["annotations"][0]["items"][0]["target"] == canvas["id"]

    def test_has_a_page_with_all_texts_and_shows_every_disclosure_in_its_language(self) -> None:
        english, alt = factories.full("A vase."), factories.of_kind(TextKind.ALT_TEXT, "Vase.")
        dutch = factories.in_language(english, "nl", "Een vaas.")

        made = iiif.manifest(factories.bundle(english, dutch, alt))

        (canvas,) = made["items"]
        (page,) = canvas["annotations"]
        assert [one["body"]["value"] for one in page["items"]] == ["A vase.", "Een vaas.", "Vase."]
        shown = made["requiredStatement"]["value"]
        assert {language: len(sentences) for language, sentences in shown.items()} == {
            "en": 2,
            "nl": 1,
        }
        assert shown["nl"][0].startswith(f"{factories.NOTICE} Formele analyse")

    def test_puts_each_text_on_the_picture_that_it_is_about(self) -> None:
        english, alt = factories.full("A vase."), factories.of_kind(TextKind.ALT_TEXT, "Vase.")
        newer = replace(alt, image=replace(alt.image, key="new.tif", sha256="34" * 32))

        made = iiif.manifest(factories.bundle(newer, english))

        for canvas, text in zip(made["items"], ("A vase.", "Vase."), strict=True):
            (one,) = canvas["annotations"][0]["items"]
            assert (one["target"], one["body"]["value"]) == (canvas["id"], text)

    def test_of_no_text_left_says_so(self) -> None:
        made = iiif.manifest(factories.bundle(factories.tombstone(factories.full())))

        assert made["requiredStatement"]["value"] == {
            "en": ["This text was withdrawn on 2026-02-01."]
        }
        assert "annotations" not in made["items"][0]


class TestAnnotation:
    def test_names_who_approved_and_what_wrote(self) -> None:
        made = iiif.annotation(factories.full())

        assert made["creator"]["name"] == "A. Curator"
        assert (made["generator"]["type"], made["generator"]["name"][:10]) == (
            "Software",
            "GalleryGPT",
        )
        assert made["rights"] == "http://creativecommons.org/licenses/by/4.0/"

    def test_has_the_same_address_for_the_same_wording_only(self) -> None:
        entry = factories.full()
        other = replace(entry.wording, revision_id=type(entry.wording.revision_id)(int=7))

        assert iiif.annotation(entry)["id"] != iiif.annotation(replace(entry, wording=other))["id"]
