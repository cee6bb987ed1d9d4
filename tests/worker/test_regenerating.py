"""The journey of a wish for a new text, with the model that comes with predella."""

import numpy as np
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from predella import db
from predella.ids import AnalysisId
from predella.models import (
    Analysis,
    Client,
    Item,
    ItemState,
    Regeneration,
    RegenerationState,
    RejectionReason,
    Release,
    ReviewState,
)
from predella.services import analyses, regenerations
from predella.settings import Settings
from tests import factories
from tests.services import Bucket
from tests.worker import hand_in
from tests.worker.engine.pictures import picture
from worker import analyzing
from worker.engine.decoding import ANOTHER
from worker.engine.llava import Llava
from worker.engine.slotted import SlottedEngine
from worker.shift import Shift
from worker.training.demo.__main__ import BUNDLED


@pytest.fixture(scope="module")
def model() -> SlottedEngine:
    llava = Llava(BUNDLED, device="cpu", dtype="float32", max_new_tokens=200)
    return SlottedEngine(llava, slots=4)


@pytest.fixture(autouse=True)
def _pictures_as_the_model_takes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hand_in, "picture", lambda number: picture(np.random.default_rng(number)))


def analyze(s3: Bucket, settings: Settings, model: SlottedEngine) -> None:
    analyzing.run(store=s3.store, engine=model, settings=settings, shift=Shift(60))


class TestRegenerating:
    def test_brings_a_drawn_text_into_the_queue_under_a_release_of_its_own(
        self, session: Session, settings: Settings, s3: Bucket, model: SlottedEngine
    ) -> None:
        hand_in.ready(s3, 3)
        analyze(s3, settings, model)
        old = session.scalars(select(Analysis).order_by(Analysis.id)).all()
        with db.transaction() as own:
            account = factories.account(own)
            for one in old:
                regenerations.ask(
                    own,
                    AnalysisId(one.id),
                    revision_number=0,
                    account=account,
                    client=Client.DESK,
                    reason=RejectionReason.STYLE,
                )

        analyze(s3, settings, model)

        session.expire_all()
        assert set(session.scalars(select(Item.state))) == {ItemState.DONE}
        wishes = session.scalars(select(Regeneration).order_by(Regeneration.analysis_id)).all()
        assert {one.state for one in wishes} == {RegenerationState.WRITTEN}
        assert [one.analysis_id for one in wishes] == [one.id for one in old]
        new = [session.get_one(Analysis, one.replaced_by_id) for one in wishes]
        for before, after in zip(old, new, strict=True):
            assert (before.sample, before.seed) == (0, None)
            assert after.sample == 1
            assert after.seed is not None
            assert analyses.get(session, AnalysisId(after.id)).state is ReviewState.NEEDS_REVIEW
            assert analyses.get(session, AnalysisId(before.id)).state is ReviewState.SUPERSEDED
        assert len({one.seed for one in new}) == 3
        by = {one.id: one.spec["decoding"] for one in session.scalars(select(Release))}
        drawn = by[new[0].release_id]
        assert isinstance(drawn, dict)
        assert drawn["strategy"] == "sampling"
        assert drawn["temperature"] == ANOTHER.temperature
        assert by[old[0].release_id] == {
            key: value for key, value in drawn.items() if key not in ANOTHER.as_json()
        } | {"strategy": "greedy"}
