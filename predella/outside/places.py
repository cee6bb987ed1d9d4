"""Where something may be sent: an address that somebody else chose, judged once.

Every address behind its name is looked at, and only those are connected to afterwards: a name
that means something else a moment later (DNS rebinding) leads nowhere.
"""

import socket
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

import httpx2

from predella.errors import InvalidError, UnavailableError

Address = IPv4Address | IPv6Address
Networks = AbstractSet[IPv4Network | IPv6Network]

_MAX_URL = 2_000
_PORTS = {"https": 443, "http": 80}
_LAST_PORT = 65_535
_NAT64 = IPv6Network("64:ff9b::/96")
_NOT_PUBLIC = (ip_network("192.88.99.0/24"), ip_network("64:ff9b:1::/48"))
"""Beside what Python's ``is_global`` knows: the relays of 6to4, and NAT64 within a network."""


class ForbiddenAddressError(InvalidError):
    """The address lies where nothing is sent to."""


@dataclass(frozen=True)
class Place:
    """Where to send, as it was judged."""

    url: httpx2.URL
    addresses: tuple[Address, ...]

    @property
    def port(self) -> int:
        """The port, named or usual."""
        return self.url.port or _PORTS[self.url.scheme]


def judge(address: str, *, private_networks: Networks) -> Place:
    """Return the place behind an URL, if something may be sent there.

    ``private_networks`` are those that the operator allows though they are not public.

    Raises:
        InvalidError: it is no usable URL.
        ForbiddenAddressError: some address behind its name is not public, or it is no HTTPS.
        UnavailableError: its name cannot be resolved now.
    """
    url = _parsed(address)
    found = _resolve(url)
    for one in found:
        if not _is_allowed(one, private_networks):
            raise ForbiddenAddressError(
                f"{url.host} is at {one}, which is not public; the operator may allow its"
                " network in PREDELLA_WEBHOOK_PRIVATE_NETWORKS"
            )
    if url.scheme != "https" and not all(one.is_loopback for one in found):
        raise ForbiddenAddressError(f"{address!r} must begin with https://")
    return Place(url, found)


def _parsed(address: str) -> httpx2.URL:
    try:
        url = httpx2.URL(address)
    except (httpx2.InvalidURL, TypeError) as error:
        raise InvalidError(f"{address!r} is no address: {error}") from error
    if len(address) > _MAX_URL:
        raise InvalidError(f"the address has more than {_MAX_URL:,} characters")
    usable = url.scheme in _PORTS and url.host and url.port != 0 and (url.port or 0) <= _LAST_PORT
    if not usable or url.userinfo or url.fragment:
        raise InvalidError(
            f"{address!r} must be like https://museum.example/path,"
            " without a name, a password or a # in it"
        )
    return url


def _resolve(url: httpx2.URL) -> tuple[Address, ...]:
    port = url.port or _PORTS[url.scheme]
    try:
        found = socket.getaddrinfo(url.raw_host.decode("ascii"), port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UnavailableError(f"the name {url.host} cannot be resolved: {error}") from error
    names = dict.fromkeys(str(place[0]).partition("%")[0] for *_, place in found)
    return tuple(ip_address(name) for name in names)


def _is_allowed(address: Address, private_networks: Networks) -> bool:
    return all(
        any(one in network for network in private_networks) or _is_public(one)
        for one in (address, *_within(address))
    )


def _within(address: Address) -> Iterable[IPv4Address]:
    """Yield the IPv4 addresses that an IPv6 address stands for."""
    if isinstance(address, IPv4Address):
        return
    if address.ipv4_mapped:
        yield address.ipv4_mapped
    if address.sixtofour:
        yield address.sixtofour
    if address.teredo:
        yield from address.teredo
    if address in _NAT64:
        yield IPv4Address(int(address) & 0xFFFFFFFF)


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped or address in _NAT64:
            # What counts is the address within.
            return True
        if address.is_site_local:
            return False
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not any(address in network for network in _NOT_PUBLIC)
    )
