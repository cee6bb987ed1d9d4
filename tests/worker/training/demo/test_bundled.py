from collections.abc import Sequence

import numpy as np
import pytest

from tests.worker.engine.pictures import picture
from worker.engine.llava import Llava
from worker.engine.protocol import Answer, Generation, Request, answers
from worker.engine.reference import ReferenceEngine
from worker.engine.slotted import SlottedEngine
from worker.training.demo import evaluation
from worker.training.demo.__main__ import BUNDLED
from worker.training.demo.training import SEED


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> list[evaluation.Judged]:
    engine = ReferenceEngine(
        Llava(BUNDLED, device="cpu", dtype="float32", max_new_tokens=200), batch_size=8
    )
    files = evaluation.paint(tmp_path_factory.mktemp("painted"), seed=SEED, count=40)
    return evaluation.judge(engine, files)


def _texts(found: Sequence[Answer]) -> list[str]:
    return [one.text for one in found if isinstance(one, Generation)]


class TestBundledModel:
    def test_is_small_enough_to_live_in_the_repository(self) -> None:
        size = sum(file.stat().st_size for file in BUNDLED.rglob("*") if file.is_file())

        assert size <= 6_000_000

    def test_says_what_it_is(self) -> None:
        engine = ReferenceEngine(
            Llava(BUNDLED, device="cpu", dtype="float32", max_new_tokens=20), batch_size=1
        )

        assert engine.release.model_name == "predella demo model"
        assert "format, light and colour only" in str(engine.release.notice)

    def test_says_something_else_in_some_further_sample_and_the_same_to_the_same_seed(
        self,
    ) -> None:
        llava = Llava(BUNDLED, device="cpu", dtype="float32", max_new_tokens=200)
        rng = np.random.default_rng(3)
        asked = [
            Request(one, llava.prompt, sample)
            for one in [picture(rng) for _ in range(3)]
            for sample in range(6)
        ]

        there = _texts(answers(SlottedEngine(llava, slots=4), asked))
        back = _texts(answers(ReferenceEngine(llava, batch_size=3), asked[::-1]))

        assert there == back[::-1]
        assert all(len(set(there[n : n + 6])) > 1 for n in range(0, len(there), 6))

    def test_states_what_is_true_of_pictures_it_was_not_trained_on(
        self, judged: list[evaluation.Judged]
    ) -> None:
        shares = evaluation.accuracy(judged)

        assert len(judged) == 40
        assert np.mean(list(shares.values())) >= 0.9
        assert min(shares[a] for a in ("format", "key", "temperature")) >= 0.95

    def test_writes_finished_paragraphs_that_state_every_attribute(
        self, judged: list[evaluation.Judged]
    ) -> None:
        lengths = [len(one.text.split()) for one in judged]

        assert min(lengths) >= 60
        assert max(lengths) <= 110
        assert all(one.text.endswith(".") for one in judged)
        assert np.mean([len(one.claims) for one in judged]) >= 8.8

    def test_does_not_say_the_same_of_every_picture(self, judged: list[evaluation.Judged]) -> None:
        others = [*judged[1:], *judged[:1]]
        swapped = [
            evaluation.Judged(one.picture, one.text, one.claims, other.measured)
            for one, other in zip(judged, others, strict=True)
        ]

        own, foreign = (np.mean(list(evaluation.accuracy(j).values())) for j in (judged, swapped))

        assert own - foreign > 0.4
