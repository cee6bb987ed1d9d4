from pathlib import Path

import pytest

from tests.worker.engine.slots import small
from worker.engine.decoding import GREEDY
from worker.engine.slots import SlotConfig, memory
from worker.engine.slots.config import FP8
from worker.engine.slots.memory import NoRoomError, bytes_per_slot, fitted
from worker.engine.slots.runner import Runner

CONFIG = SlotConfig(slots=16, capacity=100, block=4, refill=4)


def machine(
    monkeypatch: pytest.MonkeyPatch, folder: Path, *, available: int, container: str = "max"
) -> None:
    (folder / "meminfo").write_text(f"MemTotal: 99 kB\nMemAvailable: {available // 1024} kB\n")
    (folder / "memory.max").write_text(container)
    (folder / "memory.current").write_text("1000")
    monkeypatch.setattr(memory, "_MEMORY", folder / "meminfo")
    monkeypatch.setattr(memory, "_CONTAINER", folder)


def fit(config: SlotConfig = CONFIG) -> SlotConfig:
    return fitted(small.model(), config, prompt_ids=small.prompt(), side=small.SIDE)


class TestBytesPerSlot:
    @pytest.mark.parametrize("cache_dtype", [None, FP8], ids=["float32", "fp8"])
    @pytest.mark.parametrize("kv_heads", [4, 2])
    def test_is_what_a_cache_really_takes(self, cache_dtype: object, kv_heads: int) -> None:
        config = SlotConfig(3, 50, block=2, cache_dtype=cache_dtype)  # type: ignore[arg-type]
        model = small.model(kv_heads=kv_heads)

        layers = Runner(model, config, GREEDY).cache.layers

        taken = sum(one.keys.nbytes + one.values.nbytes for one in layers)
        assert bytes_per_slot(model, config) * 3 == taken


class TestFitted:
    def test_keeps_what_was_wanted_where_memory_holds_it(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        machine(monkeypatch, tmp_path, available=10**9)

        assert fit() == CONFIG

    def test_takes_as_many_as_half_of_what_is_left_holds(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        machine(monkeypatch, tmp_path, available=2 * 3 * bytes_per_slot(small.model(), CONFIG))

        found = fit()

        assert (found.slots, found.refill) == (3, 3)

    def test_counts_what_a_container_may_have(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        most = 1000 + 2 * 5 * bytes_per_slot(small.model(), CONFIG)
        machine(monkeypatch, tmp_path, available=10**9, container=str(most))

        assert fit().slots == 5

    def test_says_what_to_do_where_not_one_fits(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        machine(monkeypatch, tmp_path, available=4096)

        with pytest.raises(NoRoomError, match="lower PREDELLA_MAX_NEW_TOKENS"):
            fit()
