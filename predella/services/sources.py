"""Where a hand-in may lie, and where the files that it names are looked for."""

import re
from collections.abc import Iterator
from typing import BinaryIO, Protocol

from predella.errors import SourceError
from predella.formats.manifest import is_manifest
from predella.models import Collection
from predella.settings import get_settings
from predella.storage import Location, ObjectVersion

UPLOADS = "submissions/"
"""Where manifests are kept in our own bucket; what lies below it mirrors a collection."""
MANIFEST_NAMES = ("manifest.csv", "manifest.jsonl")
"""A prefix that holds one of them is handed in by it."""

_MAX_BYTES = 1_024
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class Readable(Protocol):
    """What reading a hand-in needs of a store."""

    def list(self, bucket: str, prefix: str) -> Iterator[ObjectVersion]:
        """Yield every object below a prefix."""
        ...

    def exists(self, bucket: str, key: str) -> bool:
        """Say whether anything lies under a key."""
        ...

    def head(self, bucket: str, key: str) -> ObjectVersion:
        """Return what lies under a key."""
        ...

    def read_piece(self, pinned: ObjectVersion, start: int, length: int) -> bytes:
        """Return a piece of an object."""
        ...

    def copy_pinned(self, pinned: ObjectVersion, out: BinaryIO, *, max_bytes: int) -> None:
        """Write an object to a file."""
        ...


def usable(collection: Collection, source: str) -> Location:
    """Return the place that a hand-in to this collection names.

    Raises:
        SourceError: it is neither a manifest nor a prefix, or lies outside the collection
            and outside our own place for manifests.
    """
    location = Location.parse(source)
    if _CONTROL.search(source) or len(source.encode(errors="replace")) > _MAX_BYTES:
        raise SourceError(f"{source!r} is not a path that can be read")
    if not (is_prefix(location) or is_manifest(location.key)):
        raise SourceError(
            f"{source!r} is neither a manifest (its name ends with .csv or .jsonl)"
            " nor a folder (which ends with /)"
        )
    if not (_is_upload(location) or _is_inside(collection, location)):
        raise SourceError(
            f"{source!r} lies outside the collection {collection.slug!r},"
            f" which is s3://{collection.bucket}/{collection.prefix}"
        )
    return location


def is_prefix(location: Location) -> bool:
    """Say whether a place is a folder and not a file."""
    return not location.key or location.key.endswith("/")


def manifest_in(location: Location, store: Readable) -> Location | None:
    """Return the manifest: the place itself, or the one in it; None when there is none."""
    if not is_prefix(location):
        return location
    inside = (Location(location.bucket, location.key + name) for name in MANIFEST_NAMES)
    return next((each for each in inside if store.exists(each.bucket, each.key)), None)


def folder_of(collection: Collection, manifest: Location) -> str:
    """Return the folder of the collection that a manifest speaks of: its own.

    For a manifest in our own bucket it is the folder that stands where the manifest does.
    """
    folder = manifest.key[: manifest.key.rfind("/") + 1]
    return collection.prefix + folder.removeprefix(UPLOADS) if _is_upload(manifest) else folder


def _is_upload(location: Location) -> bool:
    return location.bucket == get_settings().bucket and location.key.startswith(UPLOADS)


def _is_inside(collection: Collection, location: Location) -> bool:
    return location.bucket == collection.bucket and location.key.startswith(collection.prefix)
