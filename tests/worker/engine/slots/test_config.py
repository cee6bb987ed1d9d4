from dataclasses import replace

import pytest
import torch

from tests.worker.engine.slots import small
from worker.engine.slots import SlotConfig
from worker.engine.slots.attention import fastest, runs_triton


@pytest.mark.parametrize("name", ["slots", "capacity", "refill", "block"])
def test_refuses_what_cannot_be(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must be at least 1, not 0"):
        replace(SlotConfig(slots=1, capacity=1), **{name: 0})  # type: ignore[arg-type]


def test_refuses_to_store_what_is_no_fraction() -> None:
    with pytest.raises(ValueError, match="int64"):
        SlotConfig(1, 1, cache_dtype=torch.int64)


def test_leaves_room_for_a_block_that_goes_on_after_a_text() -> None:
    assert SlotConfig(slots=1, capacity=100, block=4).depth == 104


class TestWays:
    def test_without_a_gpu_triton_is_done_without(self) -> None:
        if torch.cuda.is_available():
            pytest.skip("there is a GPU")

        assert not runs_triton(torch.device("cpu"))

    def test_short_slots_are_masked_and_long_ones_read_one_by_one(self) -> None:
        assert fastest(small.model(), 100) == "masked"
        assert fastest(small.model(), 2000) == "ragged"
