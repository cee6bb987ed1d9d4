import hashlib
from collections.abc import Callable, Iterator
from io import BytesIO

import pytest
from PIL import Image as Pillow
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from predella import db
from predella.errors import UnavailableError
from predella.ids import ItemId
from predella.models import Attempt, Image, Item, ItemState, Outcome, Stage
from predella.services import images
from predella.settings import Settings
from predella.storage import Store
from tests.services import Bucket
from tests.worker import hand_in
from tests.worker.images.files import painting
from worker import preparing
from worker.images import PREPROCESSING, Sandbox
from worker.images.prepared import EXACT_PREPROCESSING
from worker.shift import Shift


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as one:
        yield one


@pytest.fixture(autouse=True)
def _one_sandbox_for_all(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        preparing,
        "prepare",
        lambda source, *, limits, exact: sandbox.prepare(source, limits, exact=exact),
    )


@pytest.fixture
def store(s3: Bucket) -> Store:
    return s3.store


def run(store: Store, settings: Settings) -> None:
    preparing.run(store=store, settings=settings, shift=Shift(60))


def fate(session: Session, item_id: ItemId) -> tuple[Stage, ItemState, str | None]:
    item = hand_in.row(session, item_id)
    return item.stage, item.state, item.error_code


READY = (Stage.ANALYZE, ItemState.WAITING, None)


class TestRun:
    def test_makes_every_waiting_image_ready_for_the_model(
        self, session: Session, settings: Settings, s3: Bucket, store: Store
    ) -> None:
        ids = hand_in.items(s3, 20)

        run(store, settings)

        assert {fate(session, one) for one in ids} == {READY}
        assert session.scalar(select(func.count()).select_from(Image)) == 20
        for item in session.scalars(select(Item)):
            image = session.get_one(Image, item.image_id)
            name = (image.collection_id, image.sha256, PREPROCESSING)
            png = store.read(s3.name, images.model_key(*name))
            assert hashlib.sha256(png).digest() == image.model_sha256
            assert Pillow.open(BytesIO(png)).size == (336, 336)
            assert store.read(s3.name, images.review_key(*name)).startswith(b"\xff\xd8")

    def test_prepares_from_all_pixels_under_a_name_of_its_own_where_that_is_set(
        self, session: Session, settings: Settings, s3: Bucket, store: Store
    ) -> None:
        within, large = hand_in.submission(), BytesIO()
        painting(4500, 300).save(large, "PNG")
        hand_in.item(s3, large.getvalue(), within, "a.png")
        run(store, settings)
        usual = session.scalars(select(Image.model_sha256)).one()
        hand_in.item(s3, large.getvalue(), within, "b.png")

        run(store, settings.model_copy(update={"exact_prepare": True}))

        session.expire_all()
        image = session.scalars(select(Image)).one()
        key = images.model_key(image.collection_id, image.sha256, EXACT_PREPROCESSING)
        assert image.preprocessing == EXACT_PREPROCESSING
        assert image.model_sha256 == hand_in.sha256(store.read(s3.name, key)) != usual

    def test_fails_only_the_item_whose_file_is_bad_and_says_why(
        self, session: Session, settings: Settings, s3: Bucket, store: Store
    ) -> None:
        within = hand_in.submission()
        good = hand_in.item(s3, hand_in.picture(1), within, "1.png")
        noise = hand_in.item(s3, b"this is no picture", within, "2.png")
        whole = hand_in.picture(3, side=400, form="JPEG")
        cut = hand_in.item(s3, whole[: len(whole) // 2], within, "3.jpg")

        run(store, settings)

        assert fate(session, good) == READY
        for bad in (noise, cut):
            row = hand_in.row(session, bad)
            assert row.state is ItemState.FAILED
            assert row.error_code
            assert row.error
            assert " " in row.error

    def test_refuses_bytes_that_are_not_what_the_manifest_says(
        self, session: Session, settings: Settings, s3: Bucket, store: Store
    ) -> None:
        within = hand_in.submission()
        body = hand_in.picture(1)
        right = hand_in.item(s3, body, within, "1.png", sha256=hand_in.sha256(body))
        wrong = hand_in.item(s3, body, within, "2.png", sha256=hand_in.sha256(b"another"))

        run(store, settings)

        assert fate(session, right) == READY
        assert fate(session, wrong)[1:] == (ItemState.FAILED, "checksum_mismatch")

    def test_refuses_an_object_that_changed_or_went_since_it_was_handed_in(
        self, session: Session, settings: Settings, s3: Bucket, store: Store
    ) -> None:
        changed, gone = hand_in.items(s3, 2)
        s3.client.put_object(Bucket=s3.name, Key="pictures/0.png", Body=hand_in.picture(9))
        s3.client.delete_object(Bucket=s3.name, Key="pictures/1.png")

        run(store, settings)

        assert fate(session, changed)[1:] == (ItemState.FAILED, "source_changed")
        assert fate(session, gone)[1:] == (ItemState.FAILED, "object_missing")

    def test_prepares_the_same_bytes_once(
        self,
        session: Session,
        settings: Settings,
        s3: Bucket,
        store: Store,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        within = hand_in.submission()
        first = hand_in.item(s3, hand_in.picture(1), within, "a.png")
        run(store, settings)
        second = hand_in.item(s3, hand_in.picture(1), within, "b.png")
        monkeypatch.delattr(preparing, "prepare")

        run(store, settings)

        assert fate(session, second) == READY
        rows = [hand_in.row(session, one) for one in (first, second)]
        assert rows[0].image_id == rows[1].image_id

    @pytest.mark.parametrize(
        ("key_of", "damage"),
        [
            (images.model_key, "damaged"),
            (images.model_key, "deleted"),
            (images.review_key, "deleted"),
        ],
    )
    def test_prepares_again_what_was_damaged_or_lost_in_our_bucket(
        self,
        session: Session,
        settings: Settings,
        s3: Bucket,
        store: Store,
        key_of: Callable[..., str],
        damage: str,
    ) -> None:
        within = hand_in.submission()
        hand_in.item(s3, hand_in.picture(1), within, "a.png")
        run(store, settings)
        image = session.scalars(select(Image)).one()
        key = key_of(image.collection_id, image.sha256, PREPROCESSING)
        whole = store.read(s3.name, key)
        s3.client.delete_object(Bucket=s3.name, Key=key)
        if damage == "damaged":
            store.put(s3.name, key, b"damaged", media_type="image/png")
        hand_in.item(s3, hand_in.picture(1), within, "b.png")

        run(store, settings)

        assert store.read(s3.name, key) == whole

    def test_gives_everything_back_uncounted_when_the_store_is_away(
        self, session: Session, settings: Settings, s3: Bucket
    ) -> None:
        ids = hand_in.items(s3, 3)
        nowhere = Bucket(s3.name, "http://127.0.0.1:9", s3.access_key_id, s3.secret_access_key)

        with pytest.raises(UnavailableError):
            run(nowhere.store, settings)

        for one in ids:
            row = hand_in.row(session, one)
            assert (row.state, row.attempt) == (ItemState.WAITING, 0)
        assert set(session.scalars(select(Attempt.outcome))) == {Outcome.RELEASED}

    def test_counts_a_defect_of_ours_against_the_item_so_that_it_cannot_loop(
        self,
        session: Session,
        settings: Settings,
        s3: Bucket,
        store: Store,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        (one,) = hand_in.items(s3, 1)
        monkeypatch.setattr(preparing, "prepare", lambda *_, **__: 1 // 0)

        run(store, settings)

        row = hand_in.row(session, one)
        assert (row.state, row.attempt) == (ItemState.WAITING, 1)
        attempt = session.scalars(select(Attempt)).one()
        assert (attempt.outcome, attempt.error_code) == (Outcome.RETRY, "internal")

    def test_leaves_nothing_leased_when_its_shift_is_over(
        self, session: Session, settings: Settings, s3: Bucket, store: Store
    ) -> None:
        hand_in.items(s3, 3)

        preparing.run(store=store, settings=settings, shift=Shift(0))

        assert set(session.scalars(select(Item.state))) == {ItemState.WAITING}
        with db.transaction() as own:
            assert own.scalar(select(func.count()).select_from(Attempt)) == 0
