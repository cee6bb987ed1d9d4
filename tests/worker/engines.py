"""Engines without a model, that tell what happened to them."""

import time
from collections.abc import Callable, Hashable, Sequence

from worker.engine.protocol import Answer, Request
from worker.engine.trivial import TrivialEngine


class Watched(TrivialEngine):
    """Remembers its batches and does something else for some pictures."""

    def __init__(self, batch_size: int = 4, *, instead: Callable[[bytes], Answer | None]) -> None:
        super().__init__(batch_size=batch_size)
        self.batches: list[list[bytes]] = []
        self._instead = instead

    def _answers(self, batch: Sequence[Request]) -> list[Answer]:
        self.batches.append([one.picture for one in batch])
        usual = super()._answers(batch)
        return [
            self._instead(asked.picture) or one for asked, one in zip(batch, usual, strict=True)
        ]


class Streaming(TrivialEngine):
    """Works on each picture for some steps, and remembers what was in it at every step.

    ``before`` is called with the pictures in it, before each step.
    """

    def __init__(
        self,
        batch_size: int = 4,
        *,
        steps: Callable[[bytes], int] = lambda _: 1,
        before: Callable[[list[bytes]], None] = lambda _: None,
        seconds: float = 0.0,
    ) -> None:
        super().__init__(batch_size=batch_size)
        self.history: list[list[bytes]] = []
        self.cancelled: list[bytes] = []
        self._steps = steps
        self._before = before
        self._seconds = seconds
        self._inside: dict[Hashable, Request] = {}
        self._left: dict[Hashable, int] = {}

    @property
    def room(self) -> int:
        return self.batch_size - len(self._inside)

    @property
    def is_idle(self) -> bool:
        return not self._inside

    def put(self, key: Hashable, asked: object) -> None:
        assert isinstance(asked, Request)
        assert self.room > 0
        self._inside[key] = asked
        self._left[key] = self._steps(asked.picture)

    def cancel(self, key: Hashable) -> None:
        self.cancelled.append(self._inside.pop(key).picture)

    def step(self) -> list[tuple[Hashable, Answer]]:
        inside = [asked.picture for asked in self._inside.values()]
        self.history.append(inside)
        self.occupancy = len(inside) / self.batch_size
        self._before(inside)
        time.sleep(self._seconds)
        for key in self._inside:
            self._left[key] -= 1
        done = [key for key in self._inside if self._left[key] <= 0]
        return [(key, self._answers([self._inside.pop(key)])[0]) for key in done]
