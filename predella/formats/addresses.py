"""Addresses (URIs) of what we publish, for the formats that name everything by one."""

import re
from urllib.parse import quote

from predella.errors import InvalidError
from predella.formats.entry import CatalogEntry, Departing

_STEP = r"(?:[!$&-;=?-Z_a-z~]|%[0-9A-Fa-f]{2})*"
_ADDRESS = re.compile(rf"https?://[\w.-]+(?::\d+)?(?:[/?]{_STEP})?(?:#{_STEP})?", re.ASCII)
"""RFC 3986, the part of it on which all validators agree."""


class NoAddressError(InvalidError):
    """A format names things by addresses, and this service does not know its own."""

    def __init__(self, record_id: str) -> None:
        super().__init__(
            f"{record_id!r} has no address in this format:"
            " set PREDELLA_PUBLIC_URL to the address of this service"
        )
        self.record_id = record_id


def usable(uri: str | None) -> str | None:
    """Return the address, or None where it is none that a catalog accepts."""
    return uri if uri and _ADDRESS.fullmatch(uri) else None


def below(line: Departing, *steps: str) -> str:
    """Return an address of ours; the steps may hold any characters.

    Raises:
        NoAddressError: the entry has no ``base``.
    """
    if not (base := usable(line.base)):
        raise NoAddressError(line.record_id)
    return "/".join([base.rstrip("/"), *(escaped(step) for step in steps)])


def escaped(step: str) -> str:
    """Return the step so that it stays one step, and one name of a file, whatever is in it."""
    whole = quote(step, safe=" '(),+=@").replace(" ", "%20")
    return whole.replace(".", "%2E") if not step.strip(".") else whole


def thing(line: Departing) -> str:
    """Return the museum's address of the object; ours where it has none."""
    return usable(line.object.object_uri) or below(
        line, "objects", line.collection, line.object.number
    )


def text(line: Departing) -> str:
    """Return the address of the wording."""
    return below(line, "texts", str(line.revision_id))


def institution(line: Departing) -> str:
    """Return the address of the legal body."""
    return usable(line.institution.uri) or below(line, "institutions", line.institution.name)


def release(entry: CatalogEntry) -> str:
    """Return the address of what wrote the text."""
    return below(entry, "releases", entry.release.digest)
