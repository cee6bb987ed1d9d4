"""The journey of pictures to a model that looks at what curators look at."""

import hashlib
from collections.abc import Iterator

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from predella.ids import CollectionId
from predella.models import Analysis, Image, Item, ItemState, Release, Stage
from predella.services import images
from predella.settings import Settings
from tests.services import Bucket
from tests.worker import hand_in
from tests.worker.engine import small_checkpoints
from worker import analyzing, engine, preparing
from worker.engine import Engine
from worker.images import PREPROCESSING, Sandbox
from worker.shift import Shift


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    directory = tmp_path_factory.mktemp("other") / "gemma"
    small_checkpoints.gemma3(directory)
    return engine.load(Settings(model_dir=directory, device="cpu", max_new_tokens=8, batch_size=2))


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


def prepare(s3: Bucket, settings: Settings) -> None:
    preparing.run(store=s3.store, settings=settings, shift=Shift(60))


def analyze(s3: Bucket, settings: Settings, model: Engine) -> None:
    analyzing.run(store=s3.store, engine=model, settings=settings, shift=Shift(60))


def review_key(image: Image) -> str:
    return images.review_key(CollectionId(image.collection_id), image.sha256, PREPROCESSING)


class TestReviewPictures:
    def test_are_what_the_analysis_says_the_model_was_given(
        self, session: Session, settings: Settings, s3: Bucket, model: Engine
    ) -> None:
        hand_in.items(s3, 3)
        prepare(s3, settings)

        analyze(s3, settings, model)

        assert set(session.scalars(select(Item.state))) == {ItemState.DONE}
        written = session.scalars(select(Analysis)).all()
        assert len(written) == 3
        for analysis in written:
            image = session.get_one(Image, analysis.image_id)
            body = s3.store.read(s3.name, review_key(image))
            assert analysis.model_sha256 == hashlib.sha256(body).digest() != image.model_sha256
        spec = session.scalars(select(Release)).one().spec
        assert spec["preprocessing"] == f"{PREPROCESSING}/review.jpg"

    def test_that_are_missing_are_made_again(
        self, session: Session, settings: Settings, s3: Bucket, model: Engine
    ) -> None:
        hand_in.items(s3, 2)
        prepare(s3, settings)
        lost = session.scalars(select(Image)).first()
        assert lost is not None
        s3.client.delete_object(Bucket=s3.name, Key=review_key(lost))

        analyze(s3, settings, model)
        stages = dict(session.execute(select(Item.image_id, Item.stage)).all())
        prepare(s3, settings)
        analyze(s3, settings, model)

        assert stages[lost.id] == Stage.PREPARE
        session.expire_all()
        assert set(session.scalars(select(Item.state))) == {ItemState.DONE}
        assert s3.store.read(s3.name, review_key(lost)).startswith(b"\xff\xd8")
