import pytest

from predella.errors import InvalidError
from predella.formats import glossary
from predella.formats.glossary import Entry

_TURTLE = """
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix xl: <http://www.w3.org/2008/05/skos-xl#> .
@prefix : <https://example.org/terms/> .
:1 a skos:Concept ;
    skos:prefLabel "house"@en, "huis"@nl ;
    skos:altLabel "Native hut"@en ;
    skos:scopeNote "Says who looks."@en, "Zegt wie er kijkt."@nl .
:2 skos:hiddenLabel "exotic" ; skos:definition "Vague." .
:3 xl:altLabel [ xl:literalForm "primitive"@en-GB ] ; skos:altLabel :1 .
"""
_XML = """<?xml version="1.0"?>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
    xmlns:skos="http://www.w3.org/2004/02/skos/core#">
  <skos:Concept rdf:about="https://example.org/terms/1">
    <skos:prefLabel xml:lang="en">house</skos:prefLabel>
    <skos:altLabel xml:lang="en">native hut</skos:altLabel>
  </skos:Concept>
</rdf:RDF>"""
_BOMB = """<?xml version="1.0"?>
<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/hostname">]>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
    xmlns:skos="http://www.w3.org/2004/02/skos/core#">
  <skos:Concept rdf:about="https://example.org/1"><skos:altLabel>a&x;b</skos:altLabel></skos:Concept>
</rdf:RDF>"""


class TestCsv:
    def test_says_of_each_term_how_bad_it_is_why_and_what_to_say_instead(self) -> None:
        data = "\ufeffterm,ruling,language,why,instead,source\r\nNative hut,forbidden,en-GB,old,a house,https://example.org/1\r\nexotic,,,,,\r\n"

        assert glossary.read(data.encode(), "House list.CSV") == [
            Entry(("exotic",)),
            Entry(
                ("native", "hut"),
                forbidden=True,
                language="en",
                why="old",
                instead="a house",
                source="https://example.org/1",
            ),
        ]

    @pytest.mark.parametrize(
        ("data", "said"),
        [
            ("word\nexotic\n", "column term"),
            ("term,colour\nexotic,red\n", "column term"),
            ("term,ruling\nexotic,maybe\n", "row 2.*maybe"),
            ("term\n!!\n", "row 2.*words"),
            ("term\n", "no terms"),
            ("term\n" + "a " * 11, "words"),
            ("term\n\xff", "UTF-8"),
        ],
    )
    def test_refuses_what_cannot_be_meant(self, data: str, said: str) -> None:
        with pytest.raises(InvalidError, match=said):
            glossary.read(data.encode("latin-1"), "list.csv")


class TestSkos:
    def test_avoids_alternative_labels_in_favour_of_the_preferred_one(self) -> None:
        found = glossary.read(_TURTLE.encode(), "terms.ttl")

        assert found == [
            Entry(("exotic",), why="Vague.", source="https://example.org/terms/2"),
            Entry(
                ("native", "hut"),
                language="en",
                why="Says who looks.",
                instead="house",
                source="https://example.org/terms/1",
            ),
            Entry(("primitive",), language="en", source="https://example.org/terms/3"),
        ]

    def test_avoids_every_label_of_a_list_of_contentious_terms(self) -> None:
        found = glossary.read(_TURTLE.encode(), "terms.ttl", labels="all")

        assert [entry.words for entry in found] == [
            ("exotic",),
            ("house",),
            ("huis",),
            ("native", "hut"),
            ("primitive",),
        ]
        assert {entry.instead for entry in found} == {None}

    def test_reads_rdf_xml(self) -> None:
        (entry,) = glossary.read(_XML.encode(), "terms.rdf")

        assert (entry.words, entry.instead) == (("native", "hut"), "house")

    def test_reads_no_other_file_than_the_one_it_was_given(self) -> None:
        (entry,) = glossary.read(_BOMB.encode(), "terms.xml")

        assert entry.words == ("ab",)

    @pytest.mark.parametrize("name", ["terms.ttl", "terms.rdf"])
    def test_refuses_what_is_damaged(self, name: str) -> None:
        with pytest.raises(InvalidError, match="cannot be read as RDF"):
            glossary.read(b"<rdf:RDF", name)


def test_refuses_other_files() -> None:
    with pytest.raises(InvalidError, match="xlsx"):
        glossary.read(b"", "terms.xlsx")
