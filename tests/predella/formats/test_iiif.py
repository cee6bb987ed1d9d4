from dataclasses import replace

from predella.formats import iiif
from tests.predella.formats import factories


class TestManifest:
    def test_shows_the_disclosure(self) -> None:
        said = iiif.manifest(factories.full())["requiredStatement"]["value"]["en"][0]

        assert said.startswith(factories.NOTICE)
        assert "A. Curator, Example Museum, on 2026-01-20" in said

    def test_speaks_of_the_rights_in_the_photograph(self) -> None:
        manifest = iiif.manifest(factories.full())

        assert manifest["rights"] == "http://creativecommons.org/publicdomain/zero/1.0/"

    def test_leaves_the_canvas_empty_where_there_is_no_image_service(self) -> None:
        (canvas,) = iiif.manifest(factories.bare("A vase."))["items"]

        assert canvas["items"] == []
        assert canvas["annotations"]

    def test_keeps_text_and_picture_apart(self) -> None:
        (canvas,) = iiif.manifest(factories.full())["items"]

        assert canvas["items"][0]["items"][0]["motivation"] == "painting"
        assert canvas["annotations"][0]["items"][0]["motivation"] == "describing"
        assert canvas["annotations"][0]["items"][0]["target"] == canvas["id"]


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
