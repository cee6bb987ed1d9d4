"""Images: the distinct picture files of a collection, and where their prepared forms lie."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Uuid, bindparam, func, select, text, tuple_
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from predella import ids
from predella.errors import NotFoundError
from predella.ids import CollectionId, ImageId, ItemId
from predella.models import Image, Outcome
from predella.services import ledger
from predella.services.ledger import Claimed

_UUIDS = ARRAY(Uuid)


@dataclass(frozen=True)
class Finding:
    """What the preparation of one original found out and wrote."""

    size: int
    format: str
    width: int
    height: int
    preprocessing: str
    model_sha256: bytes
    facts: Mapping[str, object]


@dataclass(frozen=True)
class Prepared:
    """An item whose image was prepared, now or earlier."""

    item: Claimed
    sha256: bytes
    finding: Finding | None
    """None when the image was known in this preprocessing already."""


def model_key(collection_id: CollectionId | UUID, sha256: bytes, preprocessing: str) -> str:
    """Return the key, in our own bucket, of the very picture that the model is given (PNG)."""
    return f"{_folder(collection_id, sha256, preprocessing)}/model.png"


def review_key(collection_id: CollectionId | UUID, sha256: bytes, preprocessing: str) -> str:
    """Return the key, in our own bucket, of the picture that curators look at (JPEG)."""
    return f"{_folder(collection_id, sha256, preprocessing)}/review.jpg"


def zoom_key(collection_id: CollectionId | UUID, sha256: bytes, preprocessing: str) -> str:
    """Return the key, in our own bucket, of the pyramid that the zoom is cut from (TIFF)."""
    return f"{_folder(collection_id, sha256, preprocessing)}/zoom.tif"


def thumbnail_key(collection_id: CollectionId | UUID, sha256: bytes, preprocessing: str) -> str:
    """Return the key, in our own bucket, of the small picture that lists show (JPEG)."""
    return f"{_folder(collection_id, sha256, preprocessing)}/thumbnail.jpg"


def _folder(collection_id: UUID, sha256: bytes, preprocessing: str) -> str:
    return f"prepared/{collection_id}/{sha256.hex()}/{preprocessing}"


def get(session: Session, image_id: ImageId) -> Image:
    """Return one image.

    Raises:
        NotFoundError: there is none.
    """
    image = session.get(Image, image_id)
    if image is None:
        raise NotFoundError("image", image_id)
    return image


def prepared_sha256(
    session: Session, collection_id: CollectionId, sha256: bytes, preprocessing: str
) -> bytes | None:
    """Return the digest of the model-ready picture of this image, if there is one."""
    found = select(Image.model_sha256).where(
        Image.collection_id == collection_id,
        Image.sha256 == sha256,
        Image.preprocessing == preprocessing,
    )
    return session.scalar(found)


# A further view of an object is kept beside the primary one, and ends here.
_MOVE_ON = text("""
    UPDATE item SET
        image_id = image.id, sha256 = image.sha256, attempt = 0, next_attempt_at = now(),
        stage = CASE WHEN is_primary THEN 'analyze' ELSE stage END,
        state = CASE WHEN is_primary THEN 'waiting' ELSE 'done' END,
        finished_at = CASE WHEN is_primary THEN NULL ELSE now() END,
        lease_token = NULL, lease_owner = NULL, lease_until = NULL
    FROM unnest(:ids, :image_ids) AS prepared (id, image_id)
        JOIN image ON image.id = prepared.image_id
    WHERE item.id = prepared.id
""").bindparams(bindparam("ids", type_=_UUIDS), bindparam("image_ids", type_=_UUIDS))


def record(session: Session, prepared: Sequence[Prepared]) -> set[ItemId]:
    """End the prepare stage of these items; return those that were still the caller's."""
    mine = ledger.lock(session, [one.item for one in prepared])
    ours = [one for one in prepared if one.item.id in mine]
    if ours:
        _save(session, ours)
        image_ids = _ids(session, ours)
        ledger.close(session, mine, Outcome.DONE)
        session.execute(
            _MOVE_ON,
            {
                "ids": [one.item.id for one in ours],
                "image_ids": [image_ids[_name(one)] for one in ours],
            },
        )
    return mine


_MOVE_BACK = text("""
    UPDATE item SET stage = 'prepare', state = 'waiting', attempt = 0, next_attempt_at = now(),
        lease_token = NULL, lease_owner = NULL, lease_until = NULL
    WHERE id = ANY(:ids)
""").bindparams(bindparam("ids", type_=_UUIDS))


def prepare_again(session: Session, held: Sequence[Claimed]) -> set[ItemId]:
    """Send items back to the prepare stage: the model needs another preprocessing now."""
    mine = ledger.lock(session, held)
    ledger.close(session, mine, Outcome.RELEASED)
    session.execute(_MOVE_BACK, {"ids": list(mine)})
    return mine


def _name(prepared: Prepared) -> tuple[UUID, bytes]:
    return prepared.item.collection_id, prepared.sha256


def _save(session: Session, prepared: Sequence[Prepared]) -> None:
    """Insert or renew the rows of images that were prepared now, always in the same order.

    Two workers that prepared the same images would wait for each other for ever otherwise.
    """
    found = {_name(one): one.finding for one in prepared if one.finding is not None}
    if not found:
        return
    rows = [
        {
            "id": ids.new(),
            "collection_id": collection_id,
            "sha256": sha256,
            "size": finding.size,
            "format": finding.format,
            "width": finding.width,
            "height": finding.height,
            "preprocessing": finding.preprocessing,
            "model_sha256": finding.model_sha256,
            "facts": dict(finding.facts),
            "prepared_at": func.now(),
        }
        for (collection_id, sha256), finding in sorted(found.items())
    ]
    upsert = insert(Image).values(rows)
    renewed = ("format", "width", "height", "preprocessing", "model_sha256", "facts", "prepared_at")
    session.execute(
        upsert.on_conflict_do_update(
            index_elements=["collection_id", "sha256"],
            set_={column: upsert.excluded[column] for column in renewed},
        )
    )


def _ids(session: Session, prepared: Sequence[Prepared]) -> dict[tuple[UUID, bytes], ImageId]:
    names = {_name(one) for one in prepared}
    rows = session.execute(
        select(Image.collection_id, Image.sha256, Image.id).where(
            tuple_(Image.collection_id, Image.sha256).in_(names)
        )
    )
    return {(collection_id, sha256): ImageId(id_) for collection_id, sha256, id_ in rows}
