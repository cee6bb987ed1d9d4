import pytest

from predella.formats.headers import packets
from predella.formats.headers.fields import Field
from tests.pictures import artworks, packet


def values(xmp: str, field: str) -> list[str]:
    return packets.values(xmp.encode(), Field.parse(field).path)


class TestValues:
    @pytest.mark.parametrize(
        "said",
        [
            "<dc:identifier>A/1</dc:identifier>",
            "<dc:identifier><rdf:Bag><rdf:li>A/1</rdf:li></rdf:Bag></dc:identifier>",
            "<dc:identifier rdf:parseType='Resource'><rdf:value>A/1</rdf:value></dc:identifier>",
            "<dc:identifier rdf:resource='A/1'/>",
            "<!-- a word --><dc:identifier><!-- another -->A/1</dc:identifier>",
        ],
    )
    def test_may_be_written_in_every_way_of_rdf(self, said: str) -> None:
        assert values(packet(said), "dc:identifier") == ["A/1"]

    def test_may_be_attributes(self) -> None:
        xmp = packet("").replace("rdf:about=''", "rdf:about='' dc:identifier='A/1'")

        assert values(xmp, "dc:identifier") == ["A/1"]

    def test_of_several_languages_are_one(self) -> None:
        said = (
            "<dc:title><rdf:Alt><rdf:li xml:lang='nl'>Dageraad</rdf:li>"
            "<rdf:li xml:lang='x-default'>Dawn</rdf:li></rdf:Alt></dc:title>"
        )

        assert values(packet(said), "dc:title") == ["Dawn"]
        assert values(packet(said.replace("x-default", "en")), "dc:title") == ["Dageraad"]

    def test_of_several_objects_are_several(self) -> None:
        field = "Iptc4xmpExt:ArtworkOrObject/AOSourceInvNo"

        assert values(artworks("1", "2"), field) == ["1", "2"]

    def test_lie_in_structures_however_these_are_written(self) -> None:
        said = (
            "<Iptc4xmpExt:ArtworkOrObject><rdf:Bag>"
            "<rdf:li Iptc4xmpExt:AOSourceInvNo='1'/>"
            "<rdf:li><rdf:Description Iptc4xmpExt:AOSourceInvNo='2'/></rdf:li>"
            "</rdf:Bag></Iptc4xmpExt:ArtworkOrObject>"
        )

        assert values(packet(said), "iptc4xmpext:ArtworkOrObject/AOSourceInvNo") == ["1", "2"]

    def test_are_found_by_the_namespace_and_not_by_the_prefix(self) -> None:
        xmp = packet("<dc:identifier>1</dc:identifier>").replace("dc:", "other:")

        assert values(xmp.replace("xmlns:dc", "xmlns:other"), "dc:identifier") == ["1"]

    @pytest.mark.parametrize(
        "damaged", ["", "no XML", "<a>", "<a>\0</a>", "<rdf:RDF/>", "<a/>" * 2]
    )
    def test_of_what_is_no_xmp_are_none(self, damaged: str) -> None:
        assert values(damaged, "dc:title") == []

    def test_are_never_those_of_an_entity(self) -> None:
        bomb = "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]>"
        xmp = bomb + packet("<dc:title>&b;</dc:title>").partition("?>")[2]

        assert values(xmp, "dc:title") == []
