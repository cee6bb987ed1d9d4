import pytest

from predella.errors import InvalidError
from predella.formats.headers import Field


class TestParse:
    @pytest.mark.parametrize(
        ("said", "name"),
        [
            ("dc:identifier", "dc:identifier"),
            (" DC:identifier ", "dc:identifier"),
            (
                "Iptc4xmpExt:ArtworkOrObject/AOSourceInvNo",
                "Iptc4xmpExt:ArtworkOrObject/AOSourceInvNo",
            ),
            (
                "iptc4xmpext:ArtworkOrObject/Iptc4xmpExt:AOSourceInvNo",
                "Iptc4xmpExt:ArtworkOrObject/Iptc4xmpExt:AOSourceInvNo",
            ),
            ("2:5", "2:05"),
            ("IPTC:2:103", "2:103"),
        ],
    )
    def test_knows_a_field_however_it_is_written(self, said: str, name: str) -> None:
        field = Field.parse(said)

        assert field.name == name
        assert Field.parse(name) == field

    @pytest.mark.parametrize(
        ("said", "words"),
        [
            ("identifier", "is no field of a picture"),
            ("", "is no field of a picture"),
            ("dc:", "is no field of a picture"),
            ("dc:identifier/", "is no field of a picture"),
            ("2:256", "is no field of a picture"),
            ("museum:number", "'museum' is no prefix that is known here; there are dc,"),
            ("dc:a/museum:number", "'museum' is no prefix"),
            ("dc:" + "a" * 200, "at most 200"),
        ],
    )
    def test_says_what_is_wrong_with_another(self, said: str, words: str) -> None:
        with pytest.raises(InvalidError, match=words):
            Field.parse(said)
