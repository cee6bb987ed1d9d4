"""Pyramids of large pictures, kept on this machine's disk while they are looked at.

Only files that our own worker has written come here, so they are read without a sandbox, and
by libvips' TIFF loader alone.
"""

import atexit
import os
import shutil
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock

import pyvips

from predella.errors import NotFoundError
from predella.models import Image
from predella.services import images
from predella.settings import get_settings
from predella.storage import Store

TILE = 512
_MOST_BYTES = 4 << 30
_QUALITY = 82

_fetching = Lock()


@dataclass(frozen=True)
class Pyramid:
    """One picture at every size, each half of the one before; level 0 is the smallest."""

    path: Path
    width: int
    height: int
    levels: int

    def tile(self, level: int, column: int, row: int) -> bytes:
        """Return one tile as a JPEG of at most 512 x 512 pixels.

        Raises:
            NotFoundError: there is none at this place.
        """
        if not 0 <= level < self.levels:
            raise NotFoundError("level", str(level))
        picture = _level(self.path, self.levels - 1 - level)
        left, top = TILE * column, TILE * row
        if not (0 <= left < picture.width and 0 <= top < picture.height):
            raise NotFoundError("tile", f"{level}/{column}_{row}")
        size = min(TILE, picture.width - left), min(TILE, picture.height - top)
        return bytes(picture.crop(left, top, *size).jpegsave_buffer(Q=_QUALITY, keep="none"))


def of(image: Image, store: Store) -> Pyramid:
    """Return the pyramid of an image, fetched from our bucket when it is not here yet.

    Raises:
        MissingObjectError: it was not made, or somebody removed it.
        UnavailableError: the store does not answer.
    """
    key = images.zoom_key(image.collection_id, image.sha256, image.preprocessing)
    path = _folder() / key.replace("/", "-")
    if not path.exists():
        with _fetching:
            _fetch(store, key, path)
    os.utime(path)
    whole = _level(path, 0)
    return Pyramid(path, whole.width, whole.height, int(whole.get("n-pages")))


def _level(path: Path, page: int) -> "pyvips.Image":
    return pyvips.Image.tiffload(str(path), page=page, access="random")


@cache
def _folder() -> Path:
    """Return a folder that only this account can read; made and removed by each process."""
    folder = Path(tempfile.mkdtemp(prefix="predella-zooms-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _fetch(store: Store, key: str, path: Path) -> None:
    if path.exists():
        return
    _make_room()
    unfinished = path.with_suffix(".part")
    with store.open(get_settings().bucket, key) as source, unfinished.open("wb") as out:
        shutil.copyfileobj(source, out, 1 << 20)
    unfinished.rename(path)


def _make_room() -> None:
    """Forget what nobody has looked at for longest, while all together is too much."""
    kept = sorted(_folder().glob("*.tif"), key=lambda path: path.stat().st_mtime, reverse=True)
    room = _MOST_BYTES
    for path in kept:
        room -= path.stat().st_size
        if room < 0:
            path.unlink()
