"""BagIt (RFC 8493): what a bag says of itself, and the checksums of its payload."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from predella.errors import ManifestError

DECLARATION = "bagit.txt"
FETCH = "fetch.txt"
PAYLOAD = "data/"
ALGORITHMS = ("sha256", "md5")
"""Those whose checksums can be held against a file later on, the best first."""

_VERSIONS = ("0.97", "1.0")
_LINE = re.compile(r"([0-9A-Fa-f]+)[ \t]+\*?(.+)")
_DIGITS = {"sha256": 64, "md5": 32}
_ESCAPED = {"%0A": "\n", "%0D": "\r", "%25": "%"}
_ESCAPE = re.compile("%0A|%0D|%25", re.IGNORECASE)
_MAX_LINE = 10_000


class BagError(ManifestError):
    """The bag as a whole cannot be used: nothing of it is queued."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of the payload, as a manifest of the bag lists it."""

    path: str
    """From the bag's own folder: begins with ``data/``."""
    digest: bytes


def manifest_name(algorithm: str) -> str:
    """Return the file in which a bag lists its payload under this algorithm."""
    return f"manifest-{algorithm}.txt"


def check_declaration(declaration: bytes) -> None:
    """Go on only if this is the declaration of a bag that we can read.

    Raises:
        BagError: it is not UTF-8, or names another version or encoding.
    """
    lines = _decoded(declaration, DECLARATION).splitlines()
    parted = (line.partition(":") for line in lines)
    fields = {name.strip(): value.strip() for name, _, value in parted}
    version = fields.get("BagIt-Version", "")
    if version not in _VERSIONS:
        raise BagError(
            f"bagit.txt names the version {version!r}; make the bag anew as {_VERSIONS[-1]}"
        )
    encoding = fields.get("Tag-File-Character-Encoding", "")
    if encoding.upper() != "UTF-8":
        raise BagError(f"the bag's own files are in {encoding!r}; make the bag anew in UTF-8")


def algorithm_of(names: Sequence[str]) -> str:
    """Return the algorithm to go by, of a bag that holds these files beside ``data/``.

    Raises:
        BagError: its payload is listed nowhere, or files of it are still to be fetched.
    """
    if FETCH in names:
        raise BagError(
            "the bag has a fetch.txt: files of it lie elsewhere; complete the bag, take the"
            " fetch.txt out, and hand it in again"
        )
    for algorithm in ALGORITHMS:
        if manifest_name(algorithm) in names:
            return algorithm
    raise BagError("the bag has no manifest-sha256.txt; add one (manifest-md5.txt also serves)")


def entries(stream: BinaryIO, algorithm: str) -> Iterator[Entry]:
    """Yield what a payload manifest lists, as it is read.

    Raises:
        BagError: a line cannot be read, or names a file outside ``data/``.
    """
    name = manifest_name(algorithm)
    number = 0
    while line := stream.readline(_MAX_LINE):
        number += 1
        text = _decoded(line, name).rstrip("\r\n")
        if text.strip():
            yield _entry(text, algorithm, f"{name}, line {number}")


def _entry(line: str, algorithm: str, place: str) -> Entry:
    found = _LINE.fullmatch(line)
    if found is None or len(found[1]) != _DIGITS[algorithm]:
        raise BagError(f"{place} is not a checksum and a file")
    path = _ESCAPE.sub(lambda match: _ESCAPED[match[0].upper()], found[2]).removeprefix("./")
    if not path.startswith(PAYLOAD) or ".." in path.split("/"):
        raise BagError(f"{place} names a file outside data/")
    return Entry(path, bytes.fromhex(found[1]))


def _decoded(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BagError(f"{name} is not UTF-8; make the bag anew") from error
