from dataclasses import replace

import pytest
import torch

from worker.engine.slots import SlotConfig


@pytest.mark.parametrize("name", ["slots", "capacity", "refill", "block"])
def test_refuses_what_cannot_be(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must be at least 1, not 0"):
        replace(SlotConfig(slots=1, capacity=1), **{name: 0})  # type: ignore[arg-type]


def test_refuses_to_store_what_is_no_fraction() -> None:
    with pytest.raises(ValueError, match="int64"):
        SlotConfig(1, 1, cache_dtype=torch.int64)


def test_leaves_room_for_a_block_that_goes_on_after_a_text() -> None:
    assert SlotConfig(slots=1, capacity=100, block=4).depth == 104
