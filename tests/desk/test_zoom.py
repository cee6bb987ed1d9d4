"""Looking closely: the tiles of a large picture, and what of it the model saw."""

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image as Picture
from PIL import ImageDraw, ImageOps
from playwright.sync_api import Page

from predella import clock, db
from predella.models import Analysis, Collection, Item, Submission, Zoom
from predella.services import images
from tests import factories
from tests.desk.conftest import Desk
from tests.services import Bucket
from worker import zooming

_WIDTH, _HEIGHT = 8000, 5000
_REVIEW_SIDE = 3072
_BLUE = (20, 40, 230)

# What is seen: the box of what is blue, and how dark and how light it gets in the middle.
_LOOK = """() => {
    const canvas = document.querySelector("#viewer canvas"), pen = canvas.getContext("2d");
    const { width, height } = canvas, { data } = pen.getImageData(0, 0, width, height);
    const box = [Infinity, Infinity, -Infinity, -Infinity];
    let dark = 255, light = 0;
    for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) {
        const [r, g, b] = data.subarray(4 * (y * width + x));
        if (b > 150 && r < 90 && g < 110) {
            box[0] = Math.min(box[0], x); box[1] = Math.min(box[1], y);
            box[2] = Math.max(box[2], x); box[3] = Math.max(box[3], y);
        }
        if (Math.abs(x - width / 2) < 40 && Math.abs(y - height / 2) < 40) {
            dark = Math.min(dark, g); light = Math.max(light, g);
        }
    }
    return { box, dark, light };
}"""


@pytest.fixture
def large(desk: Desk, s3: Bucket, tmp_path: Path) -> str:
    """The address of a text about a wide picture: a blue block, and stripes a pixel wide."""
    picture = Picture.new("RGB", (_WIDTH, _HEIGHT), (128, 128, 128))
    pen = ImageDraw.Draw(picture)
    pen.rectangle((3000, 900, 3999, 1399), fill=_BLUE)
    for x in range(3200, 4800, 4):
        pen.rectangle((x, 1500, x + 1, 3300), fill=(250, 250, 250))
        pen.rectangle((x + 2, 1500, x + 3, 3300), fill=(5, 5, 5))
    with db.transaction() as session:
        analysis = session.get_one(Analysis, desk.analyses[0])
        within = session.get_one(Submission, session.get_one(Item, analysis.item_id).submission_id)
        collection = session.get_one(Collection, within.collection_id)
        image = factories.image(session, collection, width=_WIDTH, height=_HEIGHT)
        item = factories.item(session, within, image_id=image.id)
        made = factories.analysis(session, item)
        session.add(Zoom(image_id=image.id, made_at=clock.now()))
        names = (image.collection_id, image.sha256, image.preprocessing)
        address = f"/desk/analyses/{made.id}"
    path = tmp_path / "zoom.tif"
    zooming._save_pyramid(_jpeg(picture), path)
    small = picture.resize((_REVIEW_SIDE, _REVIEW_SIDE * _HEIGHT // _WIDTH))
    square = BytesIO()
    ImageOps.pad(picture, (336, 336), color=(122, 116, 104)).save(square, "PNG")
    for key, body in (
        (images.zoom_key(*names), path.read_bytes()),
        (images.review_key(*names), _jpeg(small)),
        (images.model_key(*names), square.getvalue()),
    ):
        s3.client.put_object(Bucket=s3.name, Key=key, Body=body)
    return address


def _jpeg(picture: Picture.Image) -> bytes:
    out = BytesIO()
    picture.save(out, "JPEG", quality=92)
    return out.getvalue()


def _open(page: Page, address: str) -> None:
    with page.expect_response(lambda answer: "/tiles/" in answer.url):
        page.goto(address)
    page.wait_for_load_state("networkidle")


def test_every_pixel_of_a_large_picture_can_be_seen(page: Page, large: str) -> None:
    _open(page, large)
    whole = page.evaluate(_LOOK)
    for _ in range(7):
        page.keyboard.press("+")
        page.wait_for_timeout(200)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(500)
    close = page.evaluate(_LOOK)

    # From afar the stripes run into one grey.
    assert whole["light"] - whole["dark"] < 120
    assert close["light"] - close["dark"] > 200


def test_what_the_model_saw_lies_where_it_is_in_the_picture(page: Page, large: str) -> None:
    _open(page, large)
    for key in "++":
        page.keyboard.press(key)
        page.wait_for_timeout(300)
    before = page.evaluate(_LOOK)["box"]
    page.keyboard.press("m")
    page.wait_for_timeout(700)
    after = page.evaluate(_LOOK)["box"]

    # Each of the model's 336 pixels is several of the screen.
    pixel = (before[2] - before[0]) / 1000 * _WIDTH / 336
    assert pixel > 2
    assert after == pytest.approx(before, abs=1.5 * pixel)


def test_who_looks_at_the_whole_picture_sees_the_whole_square(page: Page, large: str) -> None:
    _open(page, large)
    before = page.evaluate(_LOOK)["box"]
    page.keyboard.press("m")
    page.wait_for_timeout(700)
    square = page.evaluate(_LOOK)["box"]
    page.keyboard.press("m")
    page.wait_for_timeout(700)

    # The wide picture is a part of it, so that it is shown smaller.
    assert square[2] - square[0] < before[2] - before[0]
    assert page.evaluate(_LOOK)["box"] == pytest.approx(before, abs=2)
