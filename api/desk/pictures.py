"""The pictures that the desk shows: all of them forms that our own worker has written."""

import pyvips
from fastapi import APIRouter, Response

from api.dependencies import DbSession, ObjectStore, Reader
from api.streaming import stream
from predella.errors import MissingObjectError
from predella.ids import ImageId
from predella.models import Image
from predella.services import images
from predella.settings import get_settings
from predella.storage import Store

router = APIRouter(prefix="/desk/pictures/{image_id}/{version}")

_THUMBNAIL_SIDE = 192
"""Pixels: twice what a row of the queue is high."""
_KEPT = {"Cache-Control": "private, max-age=31536000, immutable"}
"""The address has a version: under the same one there is always the same picture."""


def address(image: Image, form: str) -> str:
    """Return where a browser finds one form of a picture: review.jpg, model.png, thumbnail.jpg."""
    return f"/desk/pictures/{image.id}/{image.model_sha256.hex()[:12]}/{form}"


@router.get("/review.jpg", response_class=Response)
def review_picture(
    session: DbSession, _reader: Reader, image_id: ImageId, version: str, store: ObjectStore
) -> Response:
    """Send the picture as curators look at it: upright, in sRGB, at most 3072 pixels long."""
    image = images.get(session, image_id)
    key = images.review_key(image.collection_id, image.sha256, image.preprocessing)
    return _sent(store, key, "image/jpeg", keep=_is_current(image, version))


@router.get("/model.png", response_class=Response)
def model_picture(
    session: DbSession, _reader: Reader, image_id: ImageId, version: str, store: ObjectStore
) -> Response:
    """Send the very square that the model was given."""
    image = images.get(session, image_id)
    key = images.model_key(image.collection_id, image.sha256, image.preprocessing)
    return _sent(store, key, "image/png", keep=_is_current(image, version))


@router.get("/thumbnail.jpg", response_class=Response)
def thumbnail(
    session: DbSession, _reader: Reader, image_id: ImageId, version: str, store: ObjectStore
) -> Response:
    """Send a small picture for lists; it is made when somebody asks for it first."""
    image = images.get(session, image_id)
    small = _thumbnail(image, store)
    headers = _KEPT if _is_current(image, version) else {}
    return Response(small, media_type="image/jpeg", headers=headers)


def _sent(store: Store, key: str, media_type: str, *, keep: bool) -> Response:
    content = store.open(get_settings().bucket, key)
    return stream(content, media_type=media_type, headers=_KEPT if keep else {})


def _is_current(image: Image, version: str) -> bool:
    return image.model_sha256.hex().startswith(version)


def _thumbnail(image: Image, store: Store) -> bytes:
    bucket = get_settings().bucket
    names = (image.collection_id, image.sha256, image.preprocessing)
    key = images.thumbnail_key(*names)
    try:
        return store.read(bucket, key)
    except MissingObjectError:
        made = _smaller(store.read(bucket, images.review_key(*names)))
        store.put(bucket, key, made, media_type="image/jpeg")
        return made


def _smaller(jpeg: bytes) -> bytes:
    side = _THUMBNAIL_SIDE
    small = pyvips.Image.thumbnail_buffer(jpeg, side, height=side, size="down")
    return bytes(small.jpegsave_buffer(Q=80, keep="none"))
