"""A local folder or manifest, brought to where a hand-in can lie.

Images go below the collection's prefix, in a folder of the hand-in's own; the manifest goes
to our own bucket, under a name made from its content. What lies there already is not sent
again, so that an upload that broke off goes on where it stopped.
"""

import hashlib
import mimetypes
import os
import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from predella.cli import bagging
from predella.cli.output import err
from predella.errors import ConflictError, SourceError
from predella.formats import manifest
from predella.formats.manifest import ManifestRow
from predella.models import Collection
from predella.services.sources import MANIFEST_NAMES, UPLOADS
from predella.services.staging import is_picture
from predella.settings import get_settings
from predella.storage import Location, ObjectVersion, Store

_AT_ONCE = 8
_PART = 8 << 20
"""boto3 sends larger files in parts of this size."""
_SHOWN = 5


@dataclass(frozen=True)
class Local:
    """One local file and where it is to lie."""

    path: Path
    place: Location
    size: int


@dataclass(frozen=True)
class Plan:
    """What a hand-in from this machine needs uploaded."""

    source: str
    """What is handed in once everything lies there."""
    folder: Location
    """Where the images are to lie."""
    images: tuple[Local, ...]
    manifest: Local | None


def plan(path: Path, collection: Collection, *, title: str | None) -> Plan:
    """Work out what to upload for a folder or a manifest.

    Raises:
        SourceError: it is neither, or holds no image.
        ManifestError: the manifest cannot be used; nothing needs uploading.
    """
    if path.is_dir():
        return _plan_folder(path, collection, _folder_name(title or path.resolve().name))
    if path.is_file() and manifest.is_manifest(path.name):
        name = _folder_name(title or path.resolve().parent.name)
        return _plan_manifest(path, collection, name)
    raise SourceError(
        f"{str(path)!r} is neither a folder nor a manifest (.csv or .jsonl) on this machine"
    )


def upload(planned: Plan, store: Store, *, replace: bool) -> None:
    """Send what does not lie there yet.

    Raises:
        ConflictError: other files lie there under the same names, and ``replace`` is not set.
    """
    missing = _missing(planned, store, replace=replace)
    sent = [*missing, *([planned.manifest] if planned.manifest else [])]
    if planned.images:
        err.print(f"{len(missing):,} of {len(planned.images):,} images to upload", highlight=False)
    with _bar() as bar, ThreadPoolExecutor(_AT_ONCE) as pool:
        task = bar.add_task("uploading", total=sum(each.size for each in sent))
        waiting = {pool.submit(_send, each, store): each for each in sent}
        try:
            for done in as_completed(waiting):
                done.result()
                bar.advance(task, waiting[done].size)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


class Planned:
    """A store as it will be after an upload, for a hand-in that is only tried."""

    def __init__(self, store: Store, planned: Plan) -> None:
        self._store = store
        self._local = {
            (each.place.bucket, each.place.key): each
            for each in (*planned.images, *([planned.manifest] if planned.manifest else []))
        }

    def list(self, bucket: str, prefix: str) -> Iterator[ObjectVersion]:
        """Yield what lies there and what will."""
        for found in self._store.list(bucket, prefix):
            if (found.bucket, found.key) not in self._local:
                yield found
        for place, key in self._local:
            if place == bucket and key.startswith(prefix):
                yield self.head(place, key)

    def exists(self, bucket: str, key: str) -> bool:
        """Say whether anything lies there or will."""
        return (bucket, key) in self._local or self._store.exists(bucket, key)

    def head(self, bucket: str, key: str) -> ObjectVersion:
        """Return what lies there or will."""
        if local := self._local.get((bucket, key)):
            etag = _etags(local.path)[-1]
            return ObjectVersion(bucket, key, local.size, etag)
        return self._store.head(bucket, key)

    def read_piece(self, pinned: ObjectVersion, start: int, length: int) -> bytes:
        """Return a piece of what lies there or will."""
        if local := self._local.get((pinned.bucket, pinned.key)):
            with local.path.open("rb") as file:
                file.seek(start)
                return file.read(length)
        return self._store.read_piece(pinned, start, length)

    def copy_pinned(self, pinned: ObjectVersion, out: BinaryIO, *, max_bytes: int) -> None:
        """Write what lies there or will."""
        if local := self._local.get((pinned.bucket, pinned.key)):
            with local.path.open("rb") as file:
                shutil.copyfileobj(file, out)
        else:
            self._store.copy_pinned(pinned, out, max_bytes=max_bytes)


def _plan_folder(folder: Path, collection: Collection, name: str) -> Plan:
    below = Location(collection.bucket, f"{collection.prefix}{name}/")
    if bagging.is_bag(folder):
        files = [(path, path.relative_to(folder).as_posix()) for path in bagging.files(folder)]
        return Plan(str(below), below, tuple(_local(path, below, at) for path, at in files), None)
    images = tuple(
        _local(path, below, path.relative_to(folder).as_posix()) for path in _pictures(folder)
    )
    described = next((folder / each for each in MANIFEST_NAMES if (folder / each).is_file()), None)
    if described:
        place = _manifest_place(described, f"{name}/")
        return Plan(str(place), below, images, Local(described, place, described.stat().st_size))
    if not images:
        raise SourceError(f"there is no image in {str(folder)!r}")
    return Plan(str(below), below, images, None)


def _plan_manifest(path: Path, collection: Collection, name: str) -> Plan:
    """Upload the images that lie beside the manifest; the others are in the bucket already."""
    with path.open("rb") as stream:
        named = {
            row.filename
            for row in manifest.read(stream, name=path.name)
            if isinstance(row, ManifestRow) and is_picture(row.filename)
        }
    below = Location(collection.bucket, f"{collection.prefix}{name}/")
    images = tuple(
        _local(path.parent / each, below, each)
        for each in sorted(named)
        if (path.parent / each).is_file()
    )
    place = _manifest_place(path, f"{name}/" if images else "")
    return Plan(str(place), below, images, Local(path, place, path.stat().st_size))


def _pictures(folder: Path) -> Iterator[Path]:
    for here, folders, names in os.walk(folder):
        folders.sort()
        yield from (Path(here, name) for name in sorted(names) if is_picture(name))


def _local(path: Path, folder: Location, name: str) -> Local:
    key = folder.key + name
    try:
        key.encode()
    except UnicodeEncodeError:
        raise SourceError(
            f"the name of {str(path)!r} is not Unicode; rename the file and try again"
        ) from None
    return Local(path, Location(folder.bucket, key), path.stat().st_size)


def _manifest_place(path: Path, below: str) -> Location:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    stem, dot, suffixes = path.name.partition(".")
    key = f"{UPLOADS}{below}{_folder_name(stem)}-{digest[:16]}{dot}{suffixes}"
    return Location(get_settings().bucket, key)


def _folder_name(name: str) -> str:
    """Return a name as one step of a path: without slashes, control characters, outer dots."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f/\\]+", "-", name).strip(" .-") or "hand-in"


def _missing(planned: Plan, store: Store, *, replace: bool) -> list[Local]:
    """Return the images that do not lie there yet."""
    if not planned.images:
        return []
    objects = store.list(planned.folder.bucket, planned.folder.key)
    wanted = {each.place.key for each in planned.images}
    there = {found.key: found for found in objects if found.key in wanted}
    missing = [each for each in planned.images if not _is_there(each, there.get(each.place.key))]
    others = [each for each in missing if each.place.key in there]
    if others and not replace:
        names = "\n".join(f"  {each.place}" for each in others[:_SHOWN])
        raise ConflictError(
            f"{len(others):,} files of these names lie there already and are different:\n{names}\n"
            "Nothing was uploaded. Hand in under another --title, or say --replace."
        )
    return missing


def _is_there(local: Local, found: ObjectVersion | None) -> bool:
    return found is not None and found.size == local.size and found.etag in _etags(local.path)


def _etags(path: Path) -> tuple[str, str]:
    """Return the ETag of a file sent at once, and of one sent in parts when it is large."""
    whole = hashlib.md5(usedforsecurity=False)
    parts: list[bytes] = []
    with path.open("rb") as file:
        while part := file.read(_PART):
            whole.update(part)
            parts.append(hashlib.md5(part, usedforsecurity=False).digest())
    joined = hashlib.md5(b"".join(parts), usedforsecurity=False).hexdigest()
    at_once = whole.hexdigest()
    return at_once, f"{joined}-{len(parts)}" if path.stat().st_size >= _PART else at_once


def _send(local: Local, store: Store) -> None:
    media_type = mimetypes.guess_type(local.path.name)[0] or "application/octet-stream"
    with local.path.open("rb") as file:
        store.put(local.place.bucket, local.place.key, file, media_type=media_type)


def _bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    return Progress(*columns, TransferSpeedColumn(), console=err, transient=True)
