"""Arithmetic that cannot be exact, judged under the words that it wrote itself."""

from typing import Any

import pytest
import torch

from tests.worker.engine.slots import small
from tests.worker.engine.slots.running import CAPACITY, engine, finish, paintings
from worker.engine.slots import Painting, SlotConfig
from worker.engine.slots.cache import SlotCache
from worker.engine.slots.config import FP8, Way
from worker.engine.slots.forcing import forced, strayed

NUMBERS = range(12)
HALVES = [torch.float16, torch.bfloat16]
ULP = {torch.float16: 2.0**-10, torch.bfloat16: 2.0**-7}


def written(dtype: torch.dtype, **options: Any) -> list[Painting]:
    running = engine(4, model=small.model(dtype), **options)
    for one in paintings(NUMBERS):
        running.put(one)
    done = finish(running)
    return [done[number] for number in NUMBERS]


def exact(texts: list[Painting]) -> list[torch.Tensor]:
    return [small.forward(one, one.tokens) for one in texts]


def config(attention: Way = "masked", *, cache_dtype: torch.dtype | None = None) -> SlotConfig:
    return SlotConfig(1, CAPACITY, attention=attention, cache_dtype=cache_dtype)


def mean_error(found: list[torch.Tensor], wanted: list[torch.Tensor]) -> float:
    return float((torch.cat(found) - torch.cat(wanted)).abs().mean())


class TestFloat32:
    @pytest.mark.parametrize("attention", ["masked", "ragged"])
    def test_gives_the_scores_of_the_bare_model(self, attention: Way) -> None:
        texts = written(torch.float32)

        found = forced(small.model(), config(attention), texts)

        for scores, wanted in zip(found, exact(texts), strict=True):
            assert torch.allclose(scores, wanted, atol=2e-4)


@pytest.mark.parametrize("dtype", HALVES, ids=str)
@pytest.mark.parametrize("attention", ["masked", "ragged"])
class TestHalfPrecision:
    def test_strays_no_farther_than_generate_does(self, dtype: torch.dtype, attention: Way) -> None:
        texts = written(dtype, attention=attention)
        truth = exact(texts)
        usual = [small.forward(one, one.tokens, dtype=dtype) for one in texts]

        found = forced(small.model(dtype), config(attention), texts)

        assert mean_error(found, truth) <= 1.1 * mean_error(usual, truth)

    def test_chooses_a_word_that_rounding_alone_can_have_put_first(
        self, dtype: torch.dtype, attention: Way
    ) -> None:
        for one in written(dtype, attention=attention):
            scores = small.forward(one, one.tokens, dtype=dtype)
            scores[:, small.model().generation_config.suppress_tokens] = -torch.inf
            best = scores.max(-1).values
            chosen = scores[range(len(one.tokens)), one.tokens]
            assert (best - chosen <= torch.clamp(8 * ULP[dtype] * best.abs(), min=0.05)).all()


@pytest.mark.parametrize("attention", ["masked", "ragged"])
class TestEightBits:
    def test_stray_little_from_sixteen(self, attention: Way) -> None:
        texts = written(torch.float16, cache_dtype=FP8, attention=attention)
        sixteen = forced(small.model(torch.float16), config(attention), texts)

        eight = forced(small.model(torch.float16), config(attention, cache_dtype=FP8), texts)

        found = strayed(eight, sixteen, [one.tokens for one in texts])
        assert 0 < found.mean < 0.35
        assert found.turned < 0.2

    def test_stray_far_where_a_scale_is_forgotten(
        self, attention: Way, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        texts = written(torch.float16, attention=attention)
        sixteen = forced(small.model(torch.float16), config(attention), texts)
        right = SlotCache._start

        def start(self: SlotCache, into: Any, new: Any, scales: Any, slots: Any) -> None:
            right(self, into, new, scales, slots)
            scales.fill_(1)

        monkeypatch.setattr(SlotCache, "_start", start)
        eight = forced(small.model(torch.float16), config(attention, cache_dtype=FP8), texts)

        found = strayed(eight, sixteen, [one.tokens for one in texts])
        assert found.mean > 0.5
        assert found.turned > 0.2
