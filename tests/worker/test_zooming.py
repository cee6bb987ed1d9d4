from collections.abc import Callable
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from sqlalchemy.orm import Session

from predella import db
from predella.ids import ImageId
from predella.models import Image, Zoom
from predella.services import images, zooms
from predella.settings import Settings
from predella.storage import Store
from tests import factories
from tests.services import Bucket
from worker import zooming
from worker.images import Limits, Sandbox


@pytest.fixture(autouse=True)
def _own_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    def enlarge(source: Path, *, limits: Limits) -> bytes:
        with Sandbox() as sandbox:
            return sandbox.enlarge(source, limits)

    monkeypatch.setattr(zooming, "enlarge", enlarge)


@pytest.fixture
def store(s3: Bucket) -> Store:
    return s3.store


Painted = Callable[..., ImageId]


@pytest.fixture
def painted(settings: Settings, s3: Bucket, session: Session) -> Painted:
    """An image whose original lies in the bucket; red on the left, blue on the right."""
    assert settings.bucket == s3.name

    def make(width: int, height: int, *, stored: bytes | None = None) -> ImageId:
        pixels = np.zeros((height, width, 3), np.uint8)
        pixels[:, : width // 2, 0] = pixels[:, width // 2 :, 2] = 250
        out = BytesIO()
        Pillow.fromarray(pixels).save(out, "PNG", compress_level=1)
        body = out.getvalue()
        s3.client.put_object(Bucket=s3.name, Key="work.png", Body=stored or body)
        version = s3.store.head(s3.name, "work.png")
        collection = factories.collection(session, bucket=s3.name)
        image = factories.image(
            session,
            collection,
            sha256=sha256(body).digest(),
            width=width,
            height=height,
        )
        factories.item(
            session,
            factories.submission(session, collection),
            image_id=image.id,
            bucket=s3.name,
            key="work.png",
            size=version.size,
            etag=version.etag,
            version_id=version.version_id,
        )
        session.commit()
        return ImageId(image.id)

    return make


def wanted(image_id: ImageId) -> bool:
    with db.transaction() as session:
        return zooms.want(session, session.get_one(Image, image_id)) is not None


class TestMakeWaiting:
    def test_writes_every_size_of_a_large_picture_into_one_file(
        self, painted: Painted, session: Session, s3: Bucket, store: Store
    ) -> None:
        image_id = painted(4000, 1500)
        assert wanted(image_id)

        assert zooming.make_waiting(store)

        image = session.get_one(Image, image_id)
        key = images.zoom_key(image.collection_id, image.sha256, image.preprocessing)
        with Pillow.open(BytesIO(store.read(s3.name, key))) as pyramid:
            assert pyramid.size == (4000, 1500)
            red, _, blue = pyramid.convert("RGB").getpixel((10, 700))  # type: ignore[misc]
            assert (red > 240, blue < 15) == (True, True)
            pyramid.seek(1)
            assert pyramid.size == (2000, 750)
        assert session.get_one(Zoom, image_id).made_at is not None
        assert not zooming.make_waiting(store)

    def test_tells_of_an_original_that_is_no_longer_the_same(
        self, painted: Painted, session: Session, store: Store
    ) -> None:
        image_id = painted(3200, 100, stored=b"something else")
        assert wanted(image_id)

        assert zooming.make_waiting(store)

        assert "changed" in (session.get_one(Zoom, image_id).error or "")

    def test_is_not_asked_for_what_the_review_image_shows_whole(
        self, painted: Painted, session: Session, store: Store
    ) -> None:
        image_id = painted(3072, 100)

        assert not wanted(image_id)
        assert not zooming.make_waiting(store)
        assert session.get(Zoom, image_id) is None

    def test_is_made_once_however_often_it_is_asked_for(
        self, painted: Painted, session: Session, store: Store
    ) -> None:
        image_id = painted(3200, 100)
        assert wanted(image_id)
        assert wanted(image_id)

        assert zooming.make_waiting(store)
        assert not zooming.make_waiting(store)
        assert session.get_one(Zoom, image_id).attempt == 1
