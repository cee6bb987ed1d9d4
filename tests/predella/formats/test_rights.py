import pytest

from predella.formats import rights


class TestCanonical:
    @pytest.mark.parametrize("code", rights.STATEMENTS)
    def test_knows_every_rights_statement_by_the_address_of_its_page(self, code: str) -> None:
        page = f"https://rightsstatements.org/page/{code}/1.0/?language=de"

        assert rights.canonical(page) == f"http://rightsstatements.org/vocab/{code}/1.0/"

    @pytest.mark.parametrize(
        ("written", "canonical"),
        [
            ("https://creativecommons.org/licenses/by-sa/4.0", "licenses/by-sa/4.0/"),
            ("https://creativecommons.org/licenses/by/3.0/nl/deed.nl", "licenses/by/3.0/nl/"),
            ("http://creativecommons.org/publicdomain/zero/1.0/", "publicdomain/zero/1.0/"),
            (
                "HTTPS://www.creativecommons.org/publicdomain/mark/1.0/deed.en",
                "publicdomain/mark/1.0/",
            ),
        ],
    )
    def test_knows_creative_commons_as_people_copy_it(self, written: str, canonical: str) -> None:
        assert rights.canonical(written) == f"http://creativecommons.org/{canonical}"

    @pytest.mark.parametrize(
        "written",
        [
            "",
            "CC BY",
            "https://creativecommons.org/",
            "https://creativecommons.org/licenses/by/5.0/",
            "https://creativecommons.org/licenses/by-nope/4.0/",
            "http://rightsstatements.org/vocab/XYZ/1.0/",
            "http://creativecommons.org.evil.example/licenses/by/4.0/",
            "http://rightsstatements.org/vocab/InC/1.0/ and more",
            "http://rightsstatements.org/vocab/InC/1.0/\n",
        ],
    )
    def test_does_not_guess(self, written: str) -> None:
        assert rights.canonical(written) is None

    def test_leaves_a_canonical_statement_as_it_is(self) -> None:
        uri = "http://rightsstatements.org/vocab/NoC-OKLR/1.0/"

        assert rights.canonical(uri) == uri
