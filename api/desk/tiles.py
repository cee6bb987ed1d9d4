"""The zoom: what is there of it, and its tiles."""

from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from api.dependencies import DbSession, ObjectStore, Reader
from api.desk import pyramids
from predella.ids import ImageId
from predella.services import images, zooms

router = APIRouter(prefix="/desk/pictures/{image_id}")

_KEPT = {"Cache-Control": "private, max-age=86400"}


class ZoomOut(BaseModel):
    """Whether a picture can be looked at more closely than its review image."""

    state: Literal["none", "coming", "ready"]
    """``none``: the review image is all that there is, or all that could be made."""
    width: int
    height: int
    tile: int = pyramids.TILE
    levels: int = 0


@router.get("/zoom")
def get_zoom(session: DbSession, _reader: Reader, image_id: ImageId, store: ObjectStore) -> ZoomOut:
    """Tell of the zoom, and have it made if nobody has asked for it yet."""
    image = images.get(session, image_id)
    zoom = zooms.want(session, image)
    if zoom is None or zoom.error is not None:
        return ZoomOut(state="none", width=image.width, height=image.height)
    if zoom.made_at is None:
        return ZoomOut(state="coming", width=image.width, height=image.height)
    made = pyramids.of(image, store)
    return ZoomOut(state="ready", width=made.width, height=made.height, levels=made.levels)


@router.get("/tiles/{level}/{column}_{row}.jpg", response_class=Response)
def get_tile(
    session: DbSession,
    _reader: Reader,
    image_id: ImageId,
    store: ObjectStore,
    *,
    level: int,
    column: int,
    row: int,
) -> Response:
    """Cut one tile."""
    image = images.get(session, image_id)
    tile = pyramids.of(image, store).tile(level, column, row)
    return Response(tile, media_type="image/jpeg", headers=_KEPT)
