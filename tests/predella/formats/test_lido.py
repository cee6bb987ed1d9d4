from dataclasses import replace

import pytest
from lxml import etree

from predella.formats import lido
from predella.formats.entry import CatalogEntry, CatalogInstitution, Departing, TextKind, object_id
from tests.predella.formats import factories, hostile
from tests.predella.formats.parsing import PARSER, Faults

NS = {"lido": "http://www.lido-schema.org", "skos": "http://www.w3.org/2004/02/skos/core#"}
LANG = "{http://www.w3.org/XML/1998/namespace}lang"


def document(*entries: CatalogEntry) -> bytes:
    return lido.BEGIN + b"".join(map(written, entries)) + lido.END


def written(*lines: Departing) -> bytes:
    """Return the record of an object with these texts."""
    return lido.encode(factories.bundle(*lines))


def text(made: bytes, name: str) -> str | None:
    return etree.fromstring(made, PARSER).findtext(f".//lido:{name}", namespaces=NS)


class TestEncode:
    @pytest.mark.parametrize("entry", [factories.full(), factories.bare("A vase.")])
    def test_is_valid(self, entry: CatalogEntry, lido_faults: Faults) -> None:
        assert lido_faults(document(entry)) == []

    def test_is_valid_with_hostile_text_everywhere(self, lido_faults: Faults) -> None:
        entries = [
            replace(
                factories.full(
                    words,
                    **dict.fromkeys(
                        ("number", "title", "artist", "date", "medium", "dimensions"), raw
                    ),
                ),
                institution=CatalogInstitution(name=raw, uri=raw),
            )
            for raw, words in zip(hostile.RAW.values(), hostile.TEXTS.values(), strict=True)
        ]

        assert lido_faults(document(*entries)) == []

    def test_the_check_itself_sees_a_fault(self, lido_faults: Faults) -> None:
        broken = document(factories.full()).replace(b"lido00921", b"lido99999")

        assert lido_faults(broken)

    @pytest.mark.parametrize("name", hostile.TEXTS)
    def test_brings_the_wording_through_unchanged(self, name: str) -> None:
        made = document(factories.bare(hostile.TEXTS[name]))

        assert text(made, "descriptiveNoteValue") == hostile.TEXTS[name]

    def test_says_beside_the_wording_what_wrote_it_and_who_answers(self) -> None:
        source = text(document(factories.full()), "sourceDescriptiveNote")

        assert source is not None
        assert source.startswith(factories.NOTICE)
        assert "GalleryGPT" in source
        assert "A. Curator, Example Museum, on 2026-01-20" in source

    def test_marks_the_note_as_written_by_a_machine_even_when_edited(self) -> None:
        notes = etree.fromstring(written(factories.full()), PARSER).iterfind(
            ".//lido:objectDescriptionSet", NS
        )

        assert [note.get(f"{{{NS['lido']}}}type") for note in notes] == [
            "http://vocab.getty.edu/aat/300456841"
        ]

    def test_names_the_revision(self) -> None:
        made = document(factories.full())

        assert text(made, "descriptiveNoteID") == ("urn:uuid:01890000-0000-7000-8000-000000000001")

    def test_states_the_rights_in_the_text_only_where_they_are_known(self) -> None:
        assert b"objectDescriptionRights" in written(factories.full())
        assert b"objectDescriptionRights" not in written(factories.bare())

    def test_calls_an_object_without_a_title_by_its_number(self) -> None:
        made = written(factories.full(title=None))

        assert text(made, "titleSet/lido:appellationValue") == "SK-C/5 (1)"

    def test_makes_no_event_of_an_object_of_which_nothing_is_known(self) -> None:
        assert b"eventWrap" not in written(factories.bare())

    def test_keeps_a_date_without_an_artist_and_an_artist_without_a_name(self) -> None:
        dated = factories.full(artist=None, artist_uri=None)
        nameless = factories.full(artist=None, date=None)

        assert text(document(dated), "displayDate") == "c. 1650"
        assert text(document(nameless), "actorID") == "http://vocab.getty.edu/ulan/500125081"

    def test_a_record_alone_is_a_document(self) -> None:
        record = etree.fromstring(written(factories.full()), PARSER)

        assert record.tag == f"{{{NS['lido']}}}lido"
        assert record.findtext("lido:lidoRecID", namespaces=NS) == object_id(factories.full())

    def test_gives_the_language_of_the_wording_and_that_of_the_disclosure(self) -> None:
        entry = replace(factories.full(), wording=replace(factories.wording("x"), language="fr"))
        record = etree.fromstring(written(entry), PARSER)

        value = record.find(".//lido:descriptiveNoteValue", NS)
        source = record.find(".//lido:sourceDescriptiveNote", NS)

        assert value is not None
        assert source is not None
        assert (value.get(LANG), source.get(LANG)) == ("fr", "en")

    def test_has_a_note_for_each_kind_of_text_and_a_value_for_each_language(
        self, lido_faults: Faults
    ) -> None:
        english, alt = factories.full("A vase."), factories.of_kind(TextKind.ALT_TEXT, "Vase.")
        dutch = factories.in_language(english, "nl", "Een vaas.")
        made = written(alt, dutch, english)

        notes = etree.fromstring(made, PARSER).findall(".//lido:objectDescriptionSet", NS)

        assert [
            [
                (value.get(LANG), value.text)
                for value in note.iterfind("lido:descriptiveNoteValue", NS)
            ]
            for note in notes
        ] == [[("en", "A vase."), ("nl", "Een vaas.")], [("en", "Vase.")]]
        values = notes[0].iterfind("lido:descriptiveNoteValue", NS)
        labels = [value.get(f"{{{NS['lido']}}}label") for value in values]
        assert labels == ["Formal analysis", "Formele analyse"]
        assert [
            [source.get(LANG) for source in note.iterfind("lido:sourceDescriptiveNote", NS)]
            for note in notes
        ] == [["en", "nl"], ["en"]]
        assert lido_faults(lido.BEGIN + made + lido.END) == []

    def test_tells_nothing_of_a_text_that_went_while_another_stays(self) -> None:
        english = factories.full("A vase.")
        dutch = factories.in_language(english, "nl", "Een vaas.")

        assert written(english, factories.tombstone(dutch)) == written(english)

    def test_names_every_image_that_a_text_was_written_about_once(self) -> None:
        english = factories.full("A vase.")
        dutch = factories.in_language(english, "nl", "Een vaas.")
        other = replace(
            factories.of_kind(TextKind.ALT_TEXT),
            image=replace(english.image, key="new.tif", sha256="34" * 32),
        )

        found = etree.fromstring(written(english, dutch, other), PARSER)

        assert [key.text for key in found.iterfind(".//lido:resourceID", NS)] == [
            "a/Å b.tif",
            "new.tif",
        ]


class TestBury:
    def test_is_valid(self, lido_faults: Faults) -> None:
        gone = written(factories.tombstone(factories.full()))

        assert lido_faults(lido.BEGIN + gone + lido.END) == []

    def test_takes_the_place_of_the_entry(self) -> None:
        entry = factories.full()

        gone = document().replace(lido.END, written(factories.tombstone(entry)) + lido.END)

        assert text(gone, "lidoRecID") == object_id(entry)
        assert text(gone, "descriptiveNoteValue") == "This text was withdrawn on 2026-02-01."
