"""From an original to the pyramid that the desk cuts its tiles from."""

import hashlib
import tempfile
from io import BufferedRandom
from pathlib import Path

import pyvips

from predella import db
from predella.errors import PredellaError, RefusedImageError, SourceChangedError, UnavailableError
from predella.services import leases, zooms
from predella.services.zooms import Wanted
from predella.settings import get_settings
from predella.storage import Store
from worker.images import Limits, enlarge

_TILE = 512
_QUALITY = 85


def make_waiting(store: Store) -> bool:
    """Make the oldest zoom that is wanted; False when none is.

    What keeps it from being made is noted with it, and is no error here.
    """
    with db.transaction() as session:
        wanted = zooms.claim(session)
    if wanted is None:
        return False
    try:
        with leases.kept_alive(wanted.lease):
            _make(wanted, store)
    except UnavailableError as error:
        zooms.put_off(wanted.lease, str(error))
    except PredellaError as error:
        _end(wanted.lease, str(error))
    else:
        _end(wanted.lease)
    return True


def _end(lease: leases.Lease, error: str | None = None) -> None:
    with db.transaction() as session:
        zooms.finish(session, lease, error=error)


def _make(wanted: Wanted, store: Store) -> None:
    settings = get_settings()
    limits = Limits(max_bytes=settings.max_image_bytes, max_pixels=settings.max_image_pixels)
    # Without a name: however this process ends, nothing is left on the disk.
    with BufferedRandom(tempfile.TemporaryFile(buffering=0)) as file:
        store.copy_pinned(wanted.original, file, max_bytes=limits.max_bytes)
        file.seek(0)
        if hashlib.file_digest(file, "sha256").digest() != wanted.sha256:
            raise SourceChangedError(
                wanted.original.key, "its sha256 differs from the first reading"
            )
        file.seek(0)
        jpeg = enlarge(Path(f"/dev/fd/{file.fileno()}"), limits=limits)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "zoom.tif"
        _save_pyramid(jpeg, path)
        with path.open("rb") as pyramid:
            store.put(settings.bucket, wanted.key, pyramid, media_type="image/tiff")


def _save_pyramid(jpeg: bytes, path: Path) -> None:
    """Write every size of the picture, each half of the one before, in tiles, into one file."""
    try:
        # By its loader: what the sandbox answers is a JPEG, or nothing.
        picture = pyvips.Image.jpegload_buffer(jpeg, access="sequential")
        picture.tiffsave(
            str(path),
            compression="jpeg",
            Q=_QUALITY,
            tile=True,
            tile_width=_TILE,
            tile_height=_TILE,
            pyramid=True,
        )
    except pyvips.Error as error:
        raise RefusedImageError("zoom_failed", f"its zoom could not be written: {error}") from error
