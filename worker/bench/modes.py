"""The ways to write about many pictures that are compared with each other."""

from collections import deque
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from transformers import LogitsProcessor, LogitsProcessorList

from worker.bench.errors import UnmeasurableError
from worker.bench.lengths import CAP
from worker.bench.models import EOS, PROMPT
from worker.engine.slots import Painting, SlotConfig, SlotEngine

Texts = dict[Hashable, list[int]]
"""Tokens by the number of the picture."""


@dataclass(frozen=True, slots=True)
class Job:
    """One picture, and how many tokens are to be written about it."""

    number: int
    pixels: torch.Tensor
    length: int


class Mode(Protocol):
    """One way to write."""

    @property
    def occupancy(self) -> float:
        """Share of the rows of all steps in which a text went on, 0 to 1."""
        ...

    def write(self, jobs: Sequence[Job]) -> Texts:
        """Return exactly as many tokens for each picture as are asked for."""
        ...


class Ends(LogitsProcessor):
    """Ends every text of a batch where it is to end; the model by itself goes on."""

    def __init__(self, lengths: torch.Tensor) -> None:
        self._lengths = lengths

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Leave nothing but the end to those whose last token is chosen now."""
        is_last = self._lengths <= input_ids.shape[1] - PROMPT + 1
        only_end = torch.full_like(scores, -torch.inf)
        only_end[:, EOS] = 0
        return torch.where(is_last[:, None], only_end, scores)


class Static:
    """Batches as transformers writes them: each waits for its longest text."""

    def __init__(self, model: Any, prompt: torch.Tensor, *, width: int, cache: str | None) -> None:
        self._model = model
        self._prompt = prompt.to(model.device)
        self._width = width
        self._cache = {"cache_implementation": cache} if cache else {}
        self._live_steps = self._steps = 0

    @property
    def occupancy(self) -> float:
        """Share of the rows of all steps in which a text went on."""
        return self._live_steps / (self._steps or 1)

    def write(self, jobs: Sequence[Job]) -> Texts:
        """Return the texts, one batch after the other."""
        texts: Texts = {}
        for start in range(0, len(jobs), self._width):
            texts.update(self._batch(jobs[start : start + self._width]))
        return texts

    def _batch(self, jobs: Sequence[Job]) -> Iterator[tuple[int, list[int]]]:
        ids = self._prompt.expand(len(jobs), -1).contiguous()
        pixels = torch.stack([job.pixels for job in jobs])
        lengths = [job.length for job in jobs]
        written = self._model.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            pixel_values=pixels.to(self._model.device, self._model.dtype),
            max_new_tokens=CAP,
            logits_processor=LogitsProcessorList([Ends(torch.tensor(lengths, device=ids.device))]),
            **self._cache,
        )
        self._steps += len(jobs) * (max(lengths) - 1)
        self._live_steps += sum(lengths) - len(jobs)
        for job, row in zip(jobs, written[:, PROMPT:].tolist(), strict=True):
            yield job.number, row[: job.length]


class Slots:
    """Our own engine: a text that ends makes room for the next."""

    def __init__(self, model: Any, prompt: torch.Tensor, config: SlotConfig) -> None:
        self._engine = SlotEngine(model, config)
        self._prompt = prompt

    @property
    def occupancy(self) -> float:
        """Share of the rows of all steps in which a text went on."""
        return self._engine.occupancy

    def write(self, jobs: Sequence[Job]) -> Texts:
        """Return the texts, as full as the engine can be kept."""
        waiting = deque(jobs)
        texts: Texts = {}
        while waiting or not self._engine.is_idle:
            while waiting and self._engine.room:
                self._engine.put(self._painting(waiting.popleft()))
            texts.update(map(_text, self._engine.step()))
        return texts

    def _painting(self, job: Job) -> Painting:
        return Painting(job.number, self._prompt, job.pixels, max_new_tokens=job.length)


def _text(painting: Painting) -> tuple[Hashable, list[int]]:
    if painting.is_broken:
        raise UnmeasurableError("its arithmetic overflowed; try another --dtype")
    return painting.key, painting.tokens
