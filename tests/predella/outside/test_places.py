import socket
from ipaddress import ip_network
from typing import Any

import pytest

from predella.errors import InvalidError, UnavailableError
from predella.outside.places import ForbiddenAddressError, judge


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """What names mean; an address means itself."""
    known: dict[str, list[str]] = {}
    real = socket.getaddrinfo

    def resolve(host: str, port: int, **more: Any) -> list[Any]:
        return [one for each in known.get(host, [host]) for one in real(each, port, **more)]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return known


class TestJudge:
    @pytest.mark.parametrize(
        "address",
        [
            "0.0.0.0",  # noqa: S104  (nothing binds to it)
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "192.168.0.1",
            "192.88.99.1",
            "198.18.0.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "2002:a00:1::1",
            "2001:0:a00:1::1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "fc00::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ],
    )
    def test_refuses_what_is_not_public(self, names: dict[str, list[str]], address: str) -> None:
        names["museum.example"] = [address]

        with pytest.raises(ForbiddenAddressError, match="not public"):
            judge("https://museum.example/hook", private_networks=frozenset())

    @pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808"])
    def test_lets_pass_what_is(self, names: dict[str, list[str]], address: str) -> None:
        names["museum.example"] = [address]

        place = judge("https://museum.example/hook", private_networks=frozenset())

        assert [str(one) for one in place.addresses] == [address]
        assert place.port == 443

    def test_refuses_a_name_with_one_private_address_among_public_ones(
        self, names: dict[str, list[str]]
    ) -> None:
        names["museum.example"] = ["8.8.8.8", "10.0.0.1"]

        with pytest.raises(ForbiddenAddressError, match=r"10\.0\.0\.1"):
            judge("https://museum.example/", private_networks=frozenset())

    def test_lets_pass_a_network_that_the_operator_allows_and_no_other(
        self, names: dict[str, list[str]]
    ) -> None:
        allowed = {ip_network("10.20.0.0/16")}
        names |= {"inside.example": ["10.20.0.1"], "beside.example": ["10.21.0.1"]}

        assert judge("https://inside.example/", private_networks=allowed)
        with pytest.raises(ForbiddenAddressError):
            judge("https://beside.example/", private_networks=allowed)

    def test_wants_https_but_for_this_machine(self, names: dict[str, list[str]]) -> None:
        names["museum.example"] = ["8.8.8.8"]

        with pytest.raises(ForbiddenAddressError, match="https://"):
            judge("http://museum.example/", private_networks=frozenset())
        assert judge("http://127.0.0.1:8080/", private_networks={ip_network("127.0.0.0/8")})

    @pytest.mark.parametrize(
        "url",
        ["", "museum.example", "https://", "https://a@b.example/", "https://b.example/#a", "//b/"],
    )
    def test_refuses_what_is_no_address(self, url: str) -> None:
        with pytest.raises(InvalidError, match="must be like"):
            judge(url, private_networks=frozenset())

    def test_tells_of_a_name_that_means_nothing_now(self) -> None:
        with pytest.raises(UnavailableError, match="cannot be resolved"):
            judge("https://nowhere.invalid/", private_networks=frozenset())
