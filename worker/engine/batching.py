"""For engines that work on a whole batch at a time, and begin the next one when it is done."""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from typing import Generic, Literal, TypeVar

from predella.provenance import ReleaseSpec
from worker.engine.prompts import Prompt
from worker.engine.protocol import Answer, EngineFailure, Request, answers

Asked = TypeVar("Asked")
"""A picture, opened, and what the model is asked about it."""


class Batching(ABC, Generic[Asked]):
    """Gathers what is put into it; a step writes one batch of it."""

    picture: Literal["model", "review"]
    release: ReleaseSpec
    drawing: ReleaseSpec
    device: str

    def __init__(self, *, batch_size: int, prompt: Prompt) -> None:
        self.batch_size = batch_size
        self.occupancy = 0.0
        self._prompt = prompt
        self._waiting: list[tuple[Hashable, Asked]] = []
        self._failed: list[tuple[Hashable, EngineFailure]] = []

    @abstractmethod
    def render(self, prompt: Prompt) -> str:
        """Return what the model would be given to ask this one question."""

    @abstractmethod
    def open(self, request: Request) -> Asked | EngineFailure:
        """Return what can be put; may run in any thread."""

    @abstractmethod
    def _answers(self, batch: Sequence[Asked]) -> list[Answer]:
        """Return one answer for each, in their order."""

    @property
    def room(self) -> int:
        """How many more it would take for its next step."""
        return max(0, self.batch_size - len(self._waiting))

    @property
    def is_idle(self) -> bool:
        """Whether a step would bring nothing."""
        return not self._waiting and not self._failed

    def put(self, key: Hashable, asked: Asked | EngineFailure) -> None:
        """Take one more in hand."""
        if isinstance(asked, EngineFailure):
            self._failed.append((key, asked))
        else:
            self._waiting.append((key, asked))

    def cancel(self, key: Hashable) -> None:
        """Forget one that is no longer wanted."""
        self._waiting = [one for one in self._waiting if one[0] != key]
        self._failed = [one for one in self._failed if one[0] != key]

    def step(self) -> list[tuple[Hashable, Answer]]:
        """Write one batch and return its answers."""
        batch = self._waiting[: self.batch_size]
        self.occupancy = len(batch) / self.batch_size
        written = self._answers([asked for _, asked in batch]) if batch else []
        done: list[tuple[Hashable, Answer]] = [
            *self._failed,
            *zip((key for key, _ in batch), written, strict=True),
        ]
        self._waiting, self._failed = self._waiting[len(batch) :], []
        return done

    def generate(self, pictures: Sequence[bytes]) -> list[Answer]:
        """Return one answer for each picture, all asked what it was loaded with."""
        return answers(self, [Request(picture, self._prompt) for picture in pictures])
