from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predella.formats import addresses
from predella.formats.addresses import NoAddressError
from tests.predella.formats import factories


class TestUsable:
    @pytest.mark.parametrize(
        "uri", ["https://example.org/a?b=c#d", "http://example.org", "https://x/%20"]
    )
    def test_takes_an_address(self, uri: str) -> None:
        assert addresses.usable(uri) == uri

    @pytest.mark.parametrize(
        "uri", ["", None, "urn:x", "https://a b", "javascript:x", "https://x/%zz", "https://x/\n"]
    )
    def test_takes_nothing_else(self, uri: str | None) -> None:
        assert addresses.usable(uri) is None


class TestBelow:
    @given(st.text(st.characters(codec="utf-8"), min_size=1))
    def test_any_step_makes_an_address(self, step: str) -> None:
        address = addresses.below(factories.full(), step)

        assert addresses.usable(address) == address
        assert address.count("/") == 3

    @pytest.mark.parametrize("step", ["..", ".", "a/../b"])
    def test_leads_nowhere_else(self, step: str) -> None:
        assert "/.." not in addresses.below(factories.full(), step)

    def test_says_what_to_do_without_an_address_of_our_own(self) -> None:
        with pytest.raises(NoAddressError, match="set PREDELLA_PUBLIC_URL"):
            addresses.text(replace(factories.full(), base=None))


class TestThing:
    def test_is_the_address_that_the_museum_gave(self) -> None:
        assert addresses.thing(factories.full()) == "https://collection.example.org/SK-C-5"

    def test_is_ours_where_the_museum_gave_none_that_is_one(self) -> None:
        entry = factories.full(object_uri="SK-C-5")

        assert addresses.thing(entry) == f"{factories.BASE}/objects/paintings/SK-C%2F5%20(1)"
