from dataclasses import replace
from typing import Any

import pytest
import torch

from worker.bench import models
from worker.bench.errors import UnmeasurableError
from worker.bench.models import EOS, PROMPT, SIZES
from worker.bench.modes import Job, Mode, Slots, Static
from worker.engine.slots import SlotConfig

LENGTHS = (9, 4, 12, 7, 5)


@pytest.fixture(scope="module")
def model() -> Any:
    return models.build(SIZES["xs"], device="cpu", dtype=torch.float32, seed=0)


@pytest.fixture(scope="module")
def prompt() -> torch.Tensor:
    return models.prompt_ids(SIZES["xs"].vocabulary, seed=0)


@pytest.fixture(scope="module")
def jobs() -> list[Job]:
    return [
        Job(number, models.picture(number, seed=0), length) for number, length in enumerate(LENGTHS)
    ]


class TestStatic:
    @pytest.mark.parametrize("cache", [None, "static"])
    def test_writes_what_one_at_a_time_writes(
        self, model: Any, prompt: torch.Tensor, jobs: list[Job], cache: str | None
    ) -> None:
        alone = Static(model, prompt, width=1, cache=None).write(jobs)

        together = Static(model, prompt, width=3, cache=cache).write(jobs)

        assert together == alone

    def test_ends_every_text_where_it_is_to_end_and_not_before(
        self, model: Any, prompt: torch.Tensor, jobs: list[Job]
    ) -> None:
        texts = Static(model, prompt, width=3, cache=None).write(jobs)

        assert [len(texts[job.number]) for job in jobs] == list(LENGTHS)
        assert all(texts[job.number].index(EOS) == job.length - 1 for job in jobs)

    def test_counts_the_rows_that_wait_for_the_longest_of_their_batch(
        self, model: Any, prompt: torch.Tensor, jobs: list[Job]
    ) -> None:
        mode = Static(model, prompt, width=3, cache=None)

        mode.write(jobs)

        assert mode.occupancy == (8 + 3 + 11 + 6 + 4) / (3 * 11 + 2 * 6)


class TestSlots:
    def test_writes_what_one_at_a_time_writes_but_for_the_forced_end(
        self, model: Any, prompt: torch.Tensor, jobs: list[Job]
    ) -> None:
        alone = Static(model, prompt, width=1, cache=None).write(jobs)
        config = SlotConfig(slots=2, capacity=PROMPT + max(LENGTHS))

        texts = Slots(model, prompt, config).write(jobs)

        assert {key: len(text) for key, text in texts.items()} == dict(enumerate(LENGTHS))
        assert all(texts[key][:-1] == alone[key][:-1] for key in alone)

    def test_refuses_to_time_what_overflowed(
        self, model: Any, prompt: torch.Tensor, jobs: list[Job]
    ) -> None:
        mode = Slots(model, prompt, SlotConfig(slots=2, capacity=PROMPT + max(LENGTHS)))
        broken = replace(jobs[0], pixels=jobs[0].pixels * torch.nan)

        with pytest.raises(UnmeasurableError, match="overflowed"):
            mode.write([broken])

    def test_leaves_fewer_rows_empty_than_batches_do(
        self, model: Any, prompt: torch.Tensor, jobs: list[Job]
    ) -> None:
        modes: list[Mode] = [
            Static(model, prompt, width=2, cache=None),
            Slots(model, prompt, SlotConfig(slots=2, capacity=PROMPT + max(LENGTHS), refill=1)),
        ]

        for mode in modes:
            mode.write(jobs)

        assert modes[0].occupancy < modes[1].occupancy <= 1
