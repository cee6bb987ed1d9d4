import numpy as np

from tests.worker.engine.pictures import picture
from worker.engine.prompts import FORMAL_ANALYSIS
from worker.engine.protocol import EngineFailure, Generation, Request, answers
from worker.engine.trivial import TrivialEngine


class TestGenerate:
    def test_says_the_size_of_each_picture_and_tells_them_apart(
        self, rng: np.random.Generator
    ) -> None:
        answers = TrivialEngine(batch_size=4).generate([picture(rng), picture(rng, side=40)])

        texts = [one.text for one in answers if isinstance(one, Generation)]
        assert texts[0].startswith("A picture of 336 by 336 pixels")
        assert texts[1].startswith("A picture of 40 by 40 pixels")

    def test_refuses_what_is_no_picture_alone(self, rng: np.random.Generator) -> None:
        broken, whole = TrivialEngine(batch_size=4).generate([b"", picture(rng)])

        assert isinstance(broken, EngineFailure)
        assert isinstance(whole, Generation)

    def test_numbers_further_samples(self, rng: np.random.Generator) -> None:
        engine, shown = TrivialEngine(batch_size=4), picture(rng)

        first, second = answers(engine, [Request(shown, FORMAL_ANALYSIS, n) for n in (0, 2)])

        assert isinstance(first, Generation)
        assert isinstance(second, Generation)
        assert second.text == f"{first.text} This is sample 2."
        assert engine.drawing.digest() != engine.release.digest()

    def test_admits_what_it_is(self) -> None:
        notice = TrivialEngine(batch_size=1).release.notice

        assert notice is not None
        assert "without a model" in notice
