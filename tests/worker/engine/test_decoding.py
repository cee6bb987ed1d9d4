from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.worker.engine.conftest import Open
from tests.worker.engine.test_llava import written
from worker.engine.decoding import GREEDY, PAPER, PRESETS, Decoding, Sampler
from worker.engine.reference import ReferenceEngine

LOGITS = torch.tensor([2.0, 1.0, 0.5, -1.0, -torch.inf])


def draws(decoding: Decoding, seeds: range, step: int = 0) -> list[int]:
    sampler = Sampler(decoding, torch.tensor(list(seeds)))
    found: list[int] = sampler(step, LOGITS.expand(len(seeds), -1)).argmax(-1).tolist()
    return found


class TestSampler:
    @pytest.mark.parametrize("temperature", [0.2, 1.0, 3.0])
    def test_draws_each_token_as_often_as_the_softmax_says(self, temperature: float) -> None:
        count = 20_000
        found = Counter(draws(Decoding(temperature), range(count)))

        expected = torch.softmax(LOGITS / temperature, -1).numpy()
        observed = np.array([found[token] for token in range(5)]) / count
        error = 5 * np.sqrt(expected * (1 - expected) / count)
        assert (np.abs(observed - expected) <= error).all()
        assert found[4] == 0

    def test_draws_only_from_the_most_likely(self) -> None:
        assert set(draws(Decoding(50.0, top_k=2), range(500))) == {0, 1}

    def test_one_row_does_not_know_of_the_others(self) -> None:
        together = draws(Decoding(3.0), range(100))

        alone = [draws(Decoding(3.0), range(seed, seed + 1))[0] for seed in range(100)]

        assert together == alone

    def test_every_step_draws_anew(self) -> None:
        steps = [draws(Decoding(3.0), range(1), step)[0] for step in range(200)]

        assert len(set(steps)) == 4
        assert steps != [draws(Decoding(3.0), range(1, 2), step)[0] for step in range(200)]


class TestSeeds:
    def test_come_from_the_picture_and_the_wish(self) -> None:
        one, two = replace(PAPER, seed=1), replace(PAPER, seed=2)

        assert one.seed_for(b"a") == one.seed_for(b"a")
        assert one.seed_for(b"a") != one.seed_for(b"b")
        assert one.seed_for(b"a") != two.seed_for(b"a")

    def test_differ_from_sample_to_sample(self) -> None:
        assert len({PAPER.seed_for(b"a", sample) for sample in range(6)}) == 6

    def test_fit_into_json_and_the_database(self) -> None:
        assert all(0 <= (PAPER.seed_for(bytes([n])) or 0) < 2**53 for n in range(99))

    def test_greedy_needs_none(self) -> None:
        assert GREEDY.seed_for(b"a") is None


class TestPresets:
    def test_the_paper_drew_at_a_fifth_from_the_fifty_likeliest(self) -> None:
        assert PRESETS["paper"].as_json() == {
            "strategy": "sampling",
            "temperature": 0.2,
            "top_k": 50,
            "seed": 0,
            "noise": "gumbel-splitmix64-1",
        }

    def test_greedy_is_greedy(self) -> None:
        assert PRESETS["greedy"].as_json() == {"strategy": "greedy"}


class TestSampledTexts:
    @pytest.fixture
    def sampling(self, opened: Open) -> ReferenceEngine:
        engine = opened(most=24)
        engine._decoding = engine.llava.decoding = replace(PAPER, temperature=1.0)
        return engine

    def test_do_not_depend_on_their_batch_mates(
        self, sampling: ReferenceEngine, pictures: list[bytes]
    ) -> None:
        together = written(sampling.generate(pictures))
        alone = [written(sampling.generate([one]))[0] for one in reversed(pictures)]

        assert [one.token_ids for one in together] == [one.token_ids for one in reversed(alone)]
        assert [one.seed for one in together] == [one.seed for one in reversed(alone)]

    def test_change_with_the_seed_and_not_without(
        self, sampling: ReferenceEngine, pictures: list[bytes]
    ) -> None:
        first = written(sampling.generate(pictures[:2]))
        again = written(sampling.generate(pictures[:2]))
        sampling.llava.decoding = replace(sampling.llava.decoding, seed=7)
        other = written(sampling.generate(pictures[:2]))

        assert first == again
        assert [one.token_ids for one in first] != [one.token_ids for one in other]

    def test_are_as_sure_as_the_model_was_of_the_tokens_drawn(
        self, sampling: ReferenceEngine, opened: Open, pictures: list[bytes]
    ) -> None:
        drawn = written(sampling.generate(pictures[:1]))[0]
        best = written(opened(most=24).generate(pictures[:1]))[0]

        assert drawn.mean_logprob < best.mean_logprob < 0
