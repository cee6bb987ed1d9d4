import csv
import io
import json
from dataclasses import replace

import pytest

from predella.formats import catalog, profiles
from predella.formats.entry import CatalogEntry, Departing, TextKind
from predella.formats.profiles import Profile, ProfileError
from tests.predella.formats import factories, hostile

OWN = """
formulas: neutralise
separators: ["|"]
columns:
  Nummer: object_number
  Tekst NL: {field: text, language: nl, single: true}
  Tekst EN: {field: text, language: en, single: true}
  Alt: {field: text, kind: alt_text}
  Herkomst: disclosure
  Titel: title
  Dag: {field: decided_at, date: "%d-%m-%Y"}
  Bron: {value: AI, withdrawn: ingetrokken}
"""


def rows(profile: Profile, *lines: Departing) -> list[dict[str, str]]:
    out = io.BytesIO()
    list(catalog.write(lines, out, to=profile))
    text = out.getvalue().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def own(text: str = OWN) -> Profile:
    return profiles.read("own", text.encode())


class TestShipped:
    @pytest.mark.parametrize("name", profiles.SHIPPED)
    def test_brings_text_and_disclosure_through(self, name: str) -> None:
        profile = profiles.shipped(name)
        entry = factories.of_kind(min(profile.KINDS), "A vase.")

        (row,) = rows(profile, entry)

        assert "A vase." in row.values()
        assert any("written by software" in cell for cell in row.values())

    def test_generic_carries_provenance_and_the_columns_of_the_manifest(self) -> None:
        (row,) = rows(profiles.shipped("generic"), factories.full())

        assert row["object_number"] == "SK-C/5 (1)"
        assert row["notice"] == factories.NOTICE
        assert row["human_involvement"] == "ai_edited"
        assert row["adapter_sha256"] == "cd" * 32
        assert row["decided_at"] == "2026-01-20T10:00:00Z"
        assert row["revision_number"] == "2"
        assert row["image_key"] == "a/\u00c5 b.tif"
        assert json.loads(row["extra"]) == {"Room": "2.8", "Zustand": "gut"}
        assert (row["status"], row["withdrawn_at"]) == ("current", "")

    def test_generic_leaves_empty_what_is_not_known(self) -> None:
        (row,) = rows(profiles.shipped("generic"), factories.bare())

        assert row["title"] == row["notice"] == row["adapter_sha256"] == ""

    def test_generic_tells_what_was_withdrawn(self) -> None:
        (row,) = rows(profiles.shipped("generic"), factories.tombstone(factories.full()))

        assert (row["status"], row["withdrawn_at"]) == ("withdrawn", "2026-02-01T08:00:00Z")
        assert row["record_id"] == factories.full().record_id
        assert row["text"] == "This text was withdrawn on 2026-02-01."
        assert row["text_sha256"] == row["reviewer"] == ""

    def test_only_the_generic_one_changes_what_looks_like_a_formula(self) -> None:
        entry = factories.full("=SUM(A1)")

        assert rows(profiles.shipped("generic"), entry)[0]["text"] == "'=SUM(A1)"
        assert rows(profiles.shipped("omeka-s"), entry)[0]["dcterms:description"] == "=SUM(A1)"

    def test_no_cell_of_omeka_holds_its_separator(self) -> None:
        (row,) = rows(profiles.shipped("omeka-s"), factories.full("red\u241egreen; blue|grey"))

        assert row["dcterms:description"] == "red/green; blue|grey"

    def test_collectionspace_splits_no_note_and_keeps_the_text(self) -> None:
        (row,) = rows(profiles.shipped("collectionspace-fcart"), odd := _split())

        assert row["annotationAuthorPersonLocal"] == "A/B/C"
        assert row["contentDescription"] == odd.wording.text
        assert row["annotationDate"] == "2026-01-20"

    def test_omeka_has_a_column_for_each_language_once_there_are_several(self) -> None:
        profile, english = profiles.shipped("omeka-s"), factories.full("A vase.")
        dutch = factories.in_language(english, "nl", "Een vaas.")

        (alone,) = rows(profile.within(["en"]), english)
        (both,) = rows(profile.within(["en", "nl"]), english, dutch)

        assert alone["dcterms:description"] == both["dcterms:description @en"] == "A vase."
        assert both["dcterms:description @nl"] == "Een vaas."
        assert "Formele analyse" in both["dcterms:provenance @nl"]
        assert "Formele analyse" not in both["dcterms:provenance @en"]
        assert (both["dcterms:language"], both["visibility"]) == ("en\u241enl", "public")

    def test_collectionspace_has_an_annotation_for_each_language(self) -> None:
        english = factories.full("A vase.")
        dutch = factories.in_language(english, "nl", "Een vaas.")

        (row,) = rows(profiles.shipped("collectionspace-core"), english, dutch)

        assert row["contentDescription"] == "A vase.\n\nEen vaas."
        groups = [
            row[f"annotation{name}"].split("|") for name in ("Type", "Note", "Date", "Author")
        ]
        assert [len(group) for group in groups] == [2, 2, 2, 2]

    def test_collectionspace_media_has_one_row_for_a_picture_of_two_objects(self) -> None:
        alt = factories.of_kind(TextKind.ALT_TEXT, "Vase.")
        other = replace(alt, object=replace(alt.object, number="other"))

        (row,) = rows(profiles.shipped("collectionspace-media"), alt, other)

        assert row["altText"] == "Vase."


class TestProfile:
    def test_a_row_is_an_object_where_each_language_has_a_column(self) -> None:
        english = factories.full("A vase.")
        alt = factories.in_language(factories.of_kind(TextKind.ALT_TEXT), "en", "Alt.")
        dutch = factories.in_language(english, "nl", "Een vaas.")

        (row,) = rows(own(), english, alt, dutch)

        assert (row["Tekst NL"], row["Tekst EN"], row["Alt"]) == (
            "Een vaas.",
            "A vase.\n\nAlt.",
            "Alt.",
        )
        origins = row["Herkomst"].split("|")
        assert [origin.removeprefix(f"{factories.NOTICE} ")[:7] for origin in origins] == [
            "Formal ",
            "Formele",
            "Alterna",
        ]
        assert row["Titel"] == "River Landscape with a Mill"

    def test_a_language_that_went_says_so_in_its_column(self) -> None:
        english = factories.full("A vase.")
        dutch = factories.in_language(english, "nl", "Een vaas.")

        (row,) = rows(own(), english, factories.tombstone(dutch))

        assert row["Tekst EN"] == "A vase."
        assert row["Tekst NL"] == "Deze tekst is op 2026-02-01 ingetrokken."
        assert "ingetrokken" not in row["Herkomst"] + row["Bron"]

    def test_another_word_stands_for_the_one_language_that_went(self) -> None:
        columns = "Text: text, Origin: disclosure, By: {field: reviewer, withdrawn: nobody}"
        nl = "NL: {field: reviewer, language: nl, withdrawn: niemand}"
        profile = own(f"row: object\ncolumns: {{{columns}, {nl}}}")
        english = factories.full("A vase.")
        gone = factories.tombstone(factories.in_language(english, "nl", "Een vaas."))

        half, none = (
            rows(profile, *lines)[0] for lines in ((english, gone), (factories.tombstone(english),))
        )

        assert (half["By"], half["NL"]) == ("A. Curator", "niemand")
        assert (none["By"], none["NL"]) == ("nobody", "")

    def test_a_row_is_what_the_profile_says(self) -> None:
        english = factories.full("A vase.")
        lines = [english, factories.in_language(english, "nl", "Een vaas.")]

        found = {
            unit: len(rows(own(f"row: {unit}\n{OWN}"), *lines))
            for unit in ("text", "object", "image")
        }

        assert found == {"text": 2, "object": 1, "image": 1}

    def test_writes_days_as_the_museum_does(self) -> None:
        (row,) = rows(own(), factories.full())

        assert row["Dag"] == "20-01-2026"

    def test_says_another_word_when_the_text_is_withdrawn(self) -> None:
        other = factories.tombstone(factories.full(number="2"))

        found = rows(own(), factories.full(), other)

        assert [row["Bron"] for row in found] == ["AI", "ingetrokken"]

    def test_begins_with_a_byte_order_mark_where_one_is_wanted(self) -> None:
        assert own(f"bom: true\n{OWN}").BEGIN.startswith(b"\xef\xbb\xbfNummer,")

    @pytest.mark.parametrize("name", hostile.TEXTS)
    def test_keeps_every_row_whole(self, name: str) -> None:
        text = hostile.TEXTS[name]

        first, second = rows(own(), factories.full(text, title=text), factories.bare("x"))

        assert None not in first
        assert second["Nummer"] == "1"


class TestRead:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("columns: {A: colour}", "columns.A.field: there is no field 'colour'"),
            ("columns: {A: {field: text, value: x}}", "either a field or a value"),
            ("columns: {A: text}", "no column holds the field 'disclosure'"),
            ("columns: {A: text, A: disclosure}", "a name stands twice"),
            (
                "columns: {A: {field: text, language: en, each_language: true}, B: disclosure}",
                "one language, or one for each",
            ),
            ("row: page\ncolumns: {A: text, B: disclosure}", "row: Input should be"),
            ("columns: {A: text, B: disclosure}\ncolour: red", "colour: Extra inputs"),
            ("columns: {A: {field: text, kind: song}, B: disclosure}", "columns.A.kind"),
            ("columns: {A: text, B: disclosure}\nkinds: []", "kinds: List should have at least 1"),
            ("columns: [", "cannot be read as YAML"),
            ("!!python/object/apply:os.system [id]", "cannot be read as YAML"),
            ("a: &x [*x]", "columns"),
            ("? [a]\n: b", "cannot be read as YAML"),
            ("", "Input should be"),
            ("\x00", "cannot be read as YAML"),
            ("x" * 100_001, "larger than 100,000 bytes"),
            ("[" * 40_000, "nested too deeply"),
            ("columns: {A: text, B: disclosure, C: {value: 2026-13-45}}", "cannot be read"),
            ('columns: {"\\ud800": text, B: disclosure}', "letters that no file can hold"),
            (r'columns: {A: text, B: disclosure, C: {value: "\0"}}', "that no file can hold"),
        ],
    )
    def test_says_what_is_wrong(self, text: str, said: str) -> None:
        with pytest.raises(ProfileError, match="the profile 'own' cannot be used") as caught:
            own(text)

        assert said in str(caught.value)


class TestMappingSheet:
    def test_names_each_column_by_its_number(self) -> None:
        profile = profiles.shipped("collectiveaccess")
        sheet = list(csv.reader(io.StringIO(profiles.mapping_sheet(profile).decode(), newline="")))

        mapped = [row[1:3] for row in sheet if row[0] == "Mapping"]

        assert mapped[0] == ["1", "ca_objects.idno"]
        assert len(mapped) == len(profile.columns)
        assert ["Setting", "existingRecordPolicy", "merge_on_idno"] in [row[:3] for row in sheet]


def _split() -> CatalogEntry:
    entry = factories.full("one | two ^^ three; four")
    return replace(entry, approval=replace(entry.approval, reviewer="A|B^^C"))
