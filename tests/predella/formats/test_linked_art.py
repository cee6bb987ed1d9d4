import io
import json
import tarfile
from typing import Any

from predella.formats import linked_art
from predella.formats.entry import Departing, TextKind
from tests.predella.formats import factories

TEXT = "formal-analysis/en.json"


def records(*lines: Departing) -> dict[str, Any]:
    data = linked_art.encode(factories.bundle(*lines))
    with tarfile.open(fileobj=io.BytesIO(data + linked_art.END)) as archive:
        files = {name.split("/", 1)[1]: archive.extractfile(name) for name in archive.getnames()}
        return {name: json.load(file) for name, file in files.items() if file}


class TestEncode:
    def test_says_beside_the_text_what_wrote_it(self) -> None:
        statement = records(factories.full())["object.json"]["referred_to_by"][0]

        assert statement["content"] == "A low horizon divides the canvas."
        assert "GalleryGPT" in statement["referred_to_by"][0]["content"]
        assert [kind["_label"] for kind in statement["classified_as"]] == [
            "Description",
            "AI Generated Content",
            "Formal analysis",
        ]

    def test_tells_of_the_making_and_of_the_approval(self) -> None:
        text = records(factories.full())[TEXT]

        assert text["created_by"]["technique"][1]["_label"] == f"GalleryGPT, {'ef' * 32}"
        assert text["used_for"][0]["carried_out_by"][0]["_label"] == "A. Curator"
        assert text["used_for"][0]["timespan"]["begin_of_the_begin"] == "2026-01-20T10:00:00Z"
        assert text["subject_to"][0]["classified_as"][0]["id"].endswith("/by/4.0/")

    def test_gives_the_museums_own_term_beside_ours(self) -> None:
        found = records(factories.full())

        own = {kind["id"]: kind["_label"] for kind in found[TEXT]["classified_as"]}
        assert own["https://museum.example.org/terms/formal-analysis"] == "Formal analysis"
        assert found["object.json"]["referred_to_by"][0]["classified_as"][-1]["id"] in own

    def test_shows_the_picture_where_a_service_does(self) -> None:
        shown = records(factories.full())["object.json"]["representation"][0]

        (picture,) = shown["digitally_shown_by"]
        assert picture["access_point"][0]["id"].startswith("https://iiif.example.org/1/full/")
        assert "representation" not in records(factories.bare("A vase."))["object.json"]

    def test_both_records_mean_the_same_object(self) -> None:
        found = records(factories.full())

        assert found[TEXT]["about"][0]["id"] == found["object.json"]["id"]

    def test_names_no_software_as_an_actor(self) -> None:
        text = records(factories.full())[TEXT]

        assert [actor["type"] for actor in text["created_by"]["carried_out_by"]] == ["Group"]

    def test_has_one_object_with_all_statements_and_a_record_of_each_text(self) -> None:
        english, alt = factories.full("A vase."), factories.of_kind(TextKind.ALT_TEXT, "Vase.")
        dutch = factories.in_language(english, "nl", "Een vaas.")

        found = records(alt, english, dutch)

        assert list(found) == ["object.json", TEXT, "formal-analysis/nl.json", "alt-text/en.json"]
        said = [said["content"] for said in found["object.json"]["referred_to_by"]]
        assert said == ["A vase.", "Een vaas.", "Vase.", "Bequest, 1925"]
        assert found["formal-analysis/nl.json"]["content"] == "Een vaas."

    def test_takes_a_text_that_went_out_of_the_object_and_out_of_its_record(self) -> None:
        english = factories.full("A vase.")
        dutch = factories.in_language(english, "nl", "Een vaas.")

        found = records(english, factories.tombstone(dutch))

        assert found["object.json"] == records(english)["object.json"]
        assert "content" not in found["formal-analysis/nl.json"]


class TestBury:
    def test_keeps_the_addresses_and_loses_the_text(self) -> None:
        entry = factories.full()

        there, gone = records(entry), records(factories.tombstone(entry))

        assert [gone[name]["id"] for name in gone] == [there[name]["id"] for name in there]
        assert "content" not in gone[TEXT]
        assert gone[TEXT]["referred_to_by"][0]["content"].endswith("on 2026-02-01.")
        assert [note["content"] for note in gone["object.json"]["referred_to_by"]] == [
            "Bequest, 1925"
        ]
