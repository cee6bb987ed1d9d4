"""Who waits, and who sits in which slot."""

from collections import deque
from collections.abc import Hashable
from itertools import islice, takewhile

import torch

from worker.engine.slots.painting import Painting

Seats = list[tuple[int, Painting]]


class Scheduler:
    """Gives free slots to the paintings that came first."""

    def __init__(self, slots: int, refill: int) -> None:
        self._refill = refill
        self._waiting: deque[Painting] = deque()
        self._seated: list[Painting | None] = [None] * slots

    @property
    def room(self) -> int:
        """How many more may come: one for each free slot, and a group that waits for the next."""
        return max(0, len(self._free()) + self._refill - len(self._waiting))

    @property
    def is_idle(self) -> bool:
        """Whether nobody waits and every slot is free."""
        return not self._waiting and not self.seated()

    def put(self, painting: Painting) -> None:
        """Let a painting wait for a slot."""
        self._waiting.append(painting)

    def next_group(self) -> Seats:
        """Return who is to be read next and where: as many as are worth it, asked the same.

        Too few free slots wait for each other, so that prompts are read together.
        """
        free = self._free()
        group = self._alike()
        if len(free) < len(group):
            return []
        for _ in group:
            self._waiting.popleft()
        return list(zip(free, group, strict=False))

    def seat(self, slot: int, painting: Painting) -> None:
        """Let a painting that was read go on in this slot."""
        self._seated[slot] = painting

    def leave(self, slot: int) -> None:
        """Make a slot free."""
        self._seated[slot] = None

    def seated(self) -> Seats:
        """Return who is being written about."""
        return [(slot, one) for slot, one in enumerate(self._seated) if one is not None]

    def cancel(self, key: Hashable) -> int | None:
        """Forget a painting; return the slot that it leaves, if it had one."""
        self._waiting = deque(one for one in self._waiting if one.key != key)
        slot = next((slot for slot, one in self.seated() if one.key == key), None)
        if slot is not None:
            self.leave(slot)
        return slot

    def _free(self) -> list[int]:
        return [slot for slot, one in enumerate(self._seated) if one is None]

    def _alike(self) -> list[Painting]:
        """Return the first that wait and are asked the same."""
        first = list(islice(self._waiting, min(self._refill, len(self._seated))))
        return list(takewhile(lambda one: _is_asked_the_same(one, first[0]), first))


def _is_asked_the_same(one: Painting, other: Painting) -> bool:
    return one.prompt_ids is other.prompt_ids or torch.equal(one.prompt_ids, other.prompt_ids)
