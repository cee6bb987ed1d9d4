"""Pictures in a real bucket and items that wait for them, as a submission leaves them."""

import hashlib
from io import BytesIO
from typing import Any
from uuid import UUID

from PIL import Image as Pillow
from sqlalchemy import func
from sqlalchemy.orm import Session

from predella import db
from predella.ids import ItemId, SubmissionId
from predella.models import Collection, Item, Stage, Submission
from predella.services import images
from tests import factories
from tests.services import Bucket
from worker.images import PREPROCESSING


def picture(number: int, *, side: int = 48, form: str = "PNG") -> bytes:
    """Return a small picture that differs from that of every other number."""
    colour = (number * 37 % 256, number // 256 % 256, number % 256)
    out = BytesIO()
    Pillow.new("RGB", (side, side + number % 7), colour).save(out, form)
    return out.getvalue()


def submission() -> SubmissionId:
    with db.transaction() as session:
        return SubmissionId(factories.submission(session).id)


def item(bucket: Bucket, body: bytes, within: SubmissionId, key: str, **fields: Any) -> ItemId:
    """Upload a picture and make the item that names it."""
    etag = bucket.client.put_object(Bucket=bucket.name, Key=key, Body=body)["ETag"].strip('"')
    with db.transaction() as session:
        made = factories.item(
            session,
            session.get_one(Submission, within),
            bucket=bucket.name,
            key=key,
            size=len(body),
            etag=etag,
            **fields | {"next_attempt_at": func.now()},
        )
        return ItemId(made.id)


def items(bucket: Bucket, count: int, **fields: Any) -> list[ItemId]:
    """Hand in so many different pictures at once."""
    within = submission()
    return [
        item(bucket, picture(number), within, f"pictures/{number}.png", **fields)
        for number in range(count)
    ]


def ready(bucket: Bucket, count: int, **fields: Any) -> list[Item]:
    """Items whose images are prepared, as the first stage leaves them."""
    with db.transaction() as session:
        session.expire_on_commit = False
        within = factories.submission(session)
        return [_ready(session, bucket, within, number, **fields) for number in range(count)]


def _ready(
    session: Session, bucket: Bucket, within: Submission, number: int, **fields: Any
) -> Item:
    png = picture(number)
    image = factories.image(
        session,
        session.get_one(Collection, within.collection_id),
        preprocessing=PREPROCESSING,
        model_sha256=sha256(png),
    )
    key = images.model_key(image.collection_id, image.sha256, PREPROCESSING)
    bucket.store.put(bucket.name, key, png, media_type="image/png")
    given: dict[str, Any] = {"stage": Stage.ANALYZE, "image_id": image.id}
    return factories.item(session, within, **given | {"next_attempt_at": func.now()} | fields)


def row(session: Session, item_id: UUID) -> Item:
    session.expire_all()
    return session.get_one(Item, item_id)


def sha256(body: bytes) -> bytes:
    return hashlib.sha256(body).digest()
