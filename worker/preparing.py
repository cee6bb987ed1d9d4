"""From an original in a museum's bucket to what the later stages read."""

import hashlib
import tempfile
from functools import partial
from io import BufferedRandom
from pathlib import Path

from predella import db, queue
from predella.errors import MissingObjectError, RefusedImageError, SourceChangedError
from predella.models import Stage
from predella.services import images
from predella.services.images import Finding, Prepared
from predella.services.ledger import Claimed
from predella.settings import Settings
from predella.storage import Store
from worker.feed import Feed, Plan
from worker.hand import Portion
from worker.images import Limits, prepare, preprocessing
from worker.settle import settle, settle_failure
from worker.shift import Shift

_GROUP = 16
_THREADS = 4
_UNREAD = 2
"""Messages that may wait for a model worker while more and more items become ready for it."""


def run(*, store: Store, settings: Settings, shift: Shift) -> None:
    """Prepare what waits, until nothing does or the shift is over."""
    plan = Plan(
        stage=Stage.PREPARE,
        fetch=Preparation(store, settings),
        claim=_GROUP,
        ahead=2 * _GROUP,
        hand=3 * _GROUP,
        threads=_THREADS,
        lease_seconds=settings.lease_seconds,
    )
    with Feed(plan, shift) as feed:
        while group := feed.take(_GROUP, wait=True):
            _finish(group, store, settings)
            for one in group:
                feed.settled(one, [one.item])


def _finish(group: list[Portion[Prepared]], store: Store, settings: Settings) -> None:
    for one in group:
        if one.error is not None:
            settle_failure(one.item, one.error, store=store, settings=settings)
    prepared = [one.value for one in group if one.error is None]
    if prepared:
        settle(
            [one.item for one in prepared],
            partial(images.record, prepared=prepared),
            seconds=settings.lease_seconds,
        )
        queue.ring_up_to(queue.ANALYZE, _UNREAD)


class Preparation:
    """Prepares one item; may run in several threads at once."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._bucket = settings.bucket
        self._limits = Limits(
            max_bytes=settings.max_image_bytes, max_pixels=settings.max_image_pixels
        )
        self._exact = settings.exact_prepare
        self._preprocessing = preprocessing(exact=self._exact)

    def __call__(self, item: Claimed) -> Prepared:
        """Read the original once, check it, and put its prepared forms into our own bucket.

        Raises:
            RefusedImageError: the image is at fault.
            UnavailableError: the store does not answer.
        """
        # Without a name: however this process ends, nothing is left on the disk.
        with BufferedRandom(tempfile.TemporaryFile(buffering=0)) as file:
            sha256 = self._download(item, file)
            if self._is_known(item, sha256):
                return Prepared(item, sha256, finding=None)
            file.seek(0)
            path = Path(f"/dev/fd/{file.fileno()}")
            made = prepare(path, limits=self._limits, exact=self._exact)
        name = (item.collection_id, sha256, self._preprocessing)
        self._put(images.model_key(*name), made.model_png, "image/png")
        self._put(images.review_key(*name), made.review_jpeg, "image/jpeg")
        finding = Finding(
            size=item.source.size,
            format=made.format,
            width=made.width,
            height=made.height,
            preprocessing=self._preprocessing,
            model_sha256=made.model_sha256,
            facts=made.facts,
        )
        return Prepared(item, sha256, finding)

    def _download(self, item: Claimed, file: BufferedRandom) -> bytes:
        self._store.copy_pinned(item.source, file, max_bytes=self._limits.max_bytes)
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").digest()
        if item.sha256 is not None and item.sha256 != digest:
            raise _other_bytes(item)
        return digest

    def _is_known(self, item: Claimed, sha256: bytes) -> bool:
        """Say whether these bytes were prepared before, and the result is there, undamaged."""
        name = (item.collection_id, sha256, self._preprocessing)
        with db.transaction() as session:
            expected = images.prepared_sha256(session, *name)
        if expected is None:
            return False
        try:
            self._store.head(self._bucket, images.review_key(*name))
            png = self._store.read(self._bucket, images.model_key(*name))
        except MissingObjectError:
            return False
        return hashlib.sha256(png).digest() == expected

    def _put(self, key: str, body: bytes, media_type: str) -> None:
        self._store.put(self._bucket, key, body, media_type=media_type)


def _other_bytes(item: Claimed) -> RefusedImageError:
    if item.image is not None:
        return SourceChangedError(item.source.key, "its sha256 differs from the first reading")
    return RefusedImageError(
        "checksum_mismatch",
        "the file is not the one that the manifest describes: its sha256 differs;"
        " upload it again, or correct the manifest",
    )
