"""Zooms: the pyramids of large images, each made when somebody first looks at its image."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from predella import clock, db, queue
from predella.models import Image, Item, Zoom
from predella.services import images, leases
from predella.services.leases import Lease
from predella.settings import get_settings
from predella.storage import ObjectVersion

WORTH_IT = 3072
"""Pixels: up to here the review image shows all that there is."""


@dataclass(frozen=True)
class Wanted:
    """One zoom to be made: from which original, and where it is to lie."""

    lease: Lease
    sha256: bytes
    """That the original must have."""
    original: ObjectVersion
    key: str
    """In our own bucket."""


def want(session: Session, image: Image) -> Zoom | None:
    """Ask for the zoom of an image, once; None where the review image shows all that there is."""
    if max(image.width, image.height) <= WORTH_IT:
        return None
    asked = insert(Zoom).values(image_id=image.id, created_at=clock.now(), attempt=0)
    fresh = session.scalar(asked.on_conflict_do_nothing().returning(Zoom.image_id))
    if fresh is not None:
        queue.ring_after_commit(session, queue.ZOOM)
    return session.get_one(Zoom, image.id, populate_existing=True)


def claim(session: Session) -> Wanted | None:
    """Take the oldest zoom that is wanted in hand; None when none is."""
    lease = leases.claim(session, Zoom, _waiting())
    if lease is None:
        return None
    image = session.get_one(Image, lease.id)
    newest = select(Item).where(Item.image_id == image.id).order_by(Item.id.desc()).limit(1)
    key = images.zoom_key(image.collection_id, image.sha256, image.preprocessing)
    return Wanted(lease, image.sha256, _original(session.scalars(newest).one()), key)


def finish(session: Session, lease: Lease, *, error: str | None = None) -> None:
    """End the making of a zoom, unless somebody else has it by now."""
    session.execute(
        update(Zoom)
        .where(Zoom.image_id == lease.id, Zoom.lease_token == lease.token)
        .values(
            made_at=None if error else clock.now(),
            error=error,
            lease_token=None,
            lease_until=None,
        )
    )


def put_off(lease: Lease, error: str) -> None:
    """Try a zoom again later, but not for ever."""
    with db.transaction() as session:
        if lease.attempt >= get_settings().max_attempts:
            finish(session, lease, error=error)
        else:
            leases.pause(session, lease)


def _waiting() -> ColumnElement[bool]:
    return Zoom.made_at.is_(None) & Zoom.error.is_(None)


def _original(item: Item) -> ObjectVersion:
    return ObjectVersion(item.bucket, item.key, item.size, item.etag, item.version_id)
