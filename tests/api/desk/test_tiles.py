from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from PIL import Image as Pillow
from sqlalchemy.orm import Session

from predella import clock
from predella.models import Image, Zoom
from predella.services import images
from predella.settings import Settings
from tests import factories
from tests.services import Bucket
from worker import zooming


@pytest.fixture
def large(session: Session, settings: Settings, s3: Bucket, tmp_path: Path) -> UUID:
    """A picture of 4000 x 1500 pixels with its zoom: red, but for a blue lower right corner."""
    assert settings.bucket == s3.name
    picture = Pillow.new("RGB", (4000, 1500), (250, 0, 0))
    picture.paste((0, 0, 250), (3900, 1400, 4000, 1500))
    out = BytesIO()
    picture.save(out, "JPEG", quality=95)
    path = tmp_path / "zoom.tif"
    zooming._save_pyramid(out.getvalue(), path)
    image = factories.image(session, width=4000, height=1500)
    session.add(Zoom(image_id=image.id, made_at=clock.now()))
    session.commit()
    key = images.zoom_key(image.collection_id, image.sha256, image.preprocessing)
    s3.client.put_object(Bucket=s3.name, Key=key, Body=path.read_bytes())
    return image.id


class TestGetZoom:
    def test_tells_the_size_and_the_levels_of_what_is_there(
        self, curator: TestClient, large: UUID
    ) -> None:
        zoom = curator.get(f"/desk/pictures/{large}/zoom").json()

        assert zoom == {"state": "ready", "width": 4000, "height": 1500, "tile": 512, "levels": 4}

    def test_has_the_zoom_of_a_large_picture_made(
        self, curator: TestClient, session: Session, settings: Settings
    ) -> None:
        assert settings.bucket
        image = factories.image(session, width=5000, height=100)
        session.commit()

        assert curator.get(f"/desk/pictures/{image.id}/zoom").json()["state"] == "coming"
        assert session.get_one(Zoom, image.id).made_at is None

    def test_is_none_where_the_review_image_shows_everything(
        self, curator: TestClient, session: Session, settings: Settings
    ) -> None:
        assert settings.bucket
        image = factories.image(session, width=3000, height=100)
        session.commit()

        assert curator.get(f"/desk/pictures/{image.id}/zoom").json()["state"] == "none"

    def test_is_none_where_it_could_not_be_made(
        self, curator: TestClient, session: Session, settings: Settings
    ) -> None:
        assert settings.bucket
        image = factories.image(session, width=5000, height=100)
        session.add(Zoom(image_id=image.id, error="damaged"))
        session.commit()

        assert curator.get(f"/desk/pictures/{image.id}/zoom").json()["state"] == "none"


class TestGetTile:
    def test_is_cut_from_its_place(self, curator: TestClient, large: UUID) -> None:
        answer = curator.get(f"/desk/pictures/{large}/tiles/3/7_2.jpg")

        assert answer.headers["Content-Type"] == "image/jpeg"
        with Pillow.open(BytesIO(answer.content)) as tile:
            assert tile.size == (4000 - 7 * 512, 1500 - 2 * 512)
            red, _, blue = tile.getpixel((tile.width - 5, tile.height - 5))  # type: ignore[misc]
            assert (blue > 240, red < 15) == (True, True)

    def test_of_the_smallest_level_shows_the_whole(self, curator: TestClient, large: UUID) -> None:
        answer = curator.get(f"/desk/pictures/{large}/tiles/0/0_0.jpg")

        with Pillow.open(BytesIO(answer.content)) as tile:
            assert tile.size == (500, 187)

    @pytest.mark.parametrize("place", ["4/0_0", "3/8_0", "3/0_3", "-1/0_0", "3/-1_0"])
    def test_is_not_found_outside_the_picture(
        self, curator: TestClient, large: UUID, place: str
    ) -> None:
        answer = curator.get(f"/desk/pictures/{large}/tiles/{place}.jpg")

        assert answer.status_code == HTTPStatus.NOT_FOUND

    def test_of_a_picture_without_a_zoom_is_not_found(
        self, curator: TestClient, session: Session, settings: Settings
    ) -> None:
        assert settings.bucket
        image: Image = factories.image(session, width=5000, height=100)
        session.commit()

        answer = curator.get(f"/desk/pictures/{image.id}/tiles/0/0_0.jpg")

        assert answer.status_code == HTTPStatus.NOT_FOUND
