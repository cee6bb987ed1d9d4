"""Runs of the slot engine for tests."""

from collections.abc import Iterable, Sequence
from typing import Any

from tests.worker.engine.slots import small
from worker.engine.slots import Painting, SlotConfig, SlotEngine
from worker.engine.slots.config import Way

CAPACITY = small.PROMPT + small.MOST


def engine(
    slots: int = 3,
    *,
    refill: int = 1,
    block: int = 1,
    attention: Way = "masked",
    capacity: int = CAPACITY,
    model: Any = None,
    **options: Any,
) -> SlotEngine:
    """An engine whose slots are full of what a wrong one would see."""
    config = SlotConfig(
        slots=slots,
        capacity=capacity,
        refill=refill,
        block=block,
        attention=attention,
        cache_dtype=options.pop("cache_dtype", None),
    )
    made = SlotEngine(small.model() if model is None else model, config, **options)
    for layer in made._runner.cache.layers:
        layer.keys.fill_(1e4 if layer.key_scales is None else 400)
        layer.values.fill_(1e4 if layer.value_scales is None else 400)
    return made


def finish(running: SlotEngine) -> dict[Any, Painting]:
    done: dict[Any, Painting] = {}
    while not running.is_idle:
        done |= {one.key: one for one in running.step()}
    return done


def write(running: SlotEngine, paintings: Iterable[Painting]) -> dict[Any, list[int]]:
    for one in paintings:
        running.put(one)
    return {key: one.tokens for key, one in finish(running).items()}


def paintings(numbers: Sequence[int] = range(24)) -> list[Painting]:
    return [small.painting(number) for number in numbers]
