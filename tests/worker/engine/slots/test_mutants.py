"""Engines that are wrong in one place each: the comparison with `generate` must find them all."""

from collections.abc import Callable

import pytest
import torch

from tests.worker.engine.slots import small
from tests.worker.engine.slots.running import CAPACITY, engine, paintings, write
from worker.engine.slots.attention import Masked
from worker.engine.slots.cache import SlotCache
from worker.engine.slots.runner import Runner

NUMBERS = range(12)
Seen = Callable[[torch.Tensor], torch.Tensor]


def see(monkeypatch: pytest.MonkeyPatch, places: Seen) -> None:
    """Let every slot see keys up to other places than its own."""
    right = Masked.prepare

    def prepare(self: Masked, positions: torch.Tensor, longest: int) -> None:
        right(self, places(positions), longest + 1)

    monkeypatch.setattr(Masked, "prepare", prepare)


def misses_the_newest_key(monkeypatch: pytest.MonkeyPatch) -> None:
    see(monkeypatch, lambda positions: positions - 1)


def shows_one_stale_key(monkeypatch: pytest.MonkeyPatch) -> None:
    see(monkeypatch, lambda positions: positions + 1)


def has_one_length_for_all_slots(monkeypatch: pytest.MonkeyPatch) -> None:
    see(monkeypatch, lambda positions: positions.max().expand_as(positions))


def hides_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Masked.prepare

    def prepare(self: Masked, positions: torch.Tensor, longest: int) -> None:
        right(self, positions, longest)
        self._mask[..., small.PREFIX : small.PREFIX + small.PLACES] = -torch.inf

    monkeypatch.setattr(Masked, "prepare", prepare)


def counts_positions_from_one(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Runner._forward

    def forward(self: Runner, embeddings: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        return right(self, embeddings, places + (places.shape[1] == 1))

    monkeypatch.setattr(Runner, "_forward", forward)


def swaps_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    right = SlotCache._add

    def add(
        self: SlotCache, into: torch.Tensor, new: torch.Tensor, scales: torch.Tensor | None
    ) -> None:
        right(self, into, new.roll(1, 0), scales)

    monkeypatch.setattr(SlotCache, "_add", add)


def shows_all_the_same_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Runner._features

    def features(self: Runner, pixels: torch.Tensor) -> torch.Tensor:
        return right(self, pixels[:1].expand_as(pixels))

    monkeypatch.setattr(Runner, "_features", features)


def lets_a_slot_keep_the_place_of_its_last_painting(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Runner._first

    def first(self: Runner, slots: list[int], those: object) -> object:
        kept = self.cache.positions.clone()
        chosen = right(self, slots, those)  # type: ignore[arg-type]  # (passed on as it came)
        self.cache.positions.copy_(torch.maximum(self.cache.positions, kept))
        return chosen

    monkeypatch.setattr(Runner, "_first", first)
    monkeypatch.setattr(Runner, "stop", lambda *_, **__: None)


@pytest.mark.parametrize(
    "break_it",
    [
        misses_the_newest_key,
        shows_one_stale_key,
        has_one_length_for_all_slots,
        hides_the_picture,
        counts_positions_from_one,
        swaps_neighbours,
        shows_all_the_same_picture,
        lets_a_slot_keep_the_place_of_its_last_painting,
    ],
    ids=lambda one: one.__name__,
)
def test_an_engine_is_found_out_that(
    break_it: Callable[[pytest.MonkeyPatch], None],
    alone: dict[int, list[int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    break_it(monkeypatch)

    written = write(engine(3, refill=2, capacity=2 * CAPACITY), paintings(NUMBERS))

    assert written != {number: alone[number] for number in NUMBERS}


def test_the_right_one_is_not_found_out(alone: dict[int, list[int]]) -> None:
    written = write(engine(3, refill=2), paintings(NUMBERS))

    assert written == {number: alone[number] for number in NUMBERS}
