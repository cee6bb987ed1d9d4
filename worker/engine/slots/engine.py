"""In-flight batching: a painting that ends makes room for the next, while the others go on."""

from collections.abc import Hashable
from typing import Any

from worker.engine.decoding import GREEDY, Decoding
from worker.engine.slots.config import SlotConfig
from worker.engine.slots.painting import Painting
from worker.engine.slots.runner import Runner
from worker.engine.slots.scheduler import Scheduler, Seats


class SlotEngine:
    """Writes about as many paintings at once as there are slots.

    What is written about one does not depend, in float32, on what the other slots hold, on the
    order in which paintings came, or on what a slot held before.
    """

    def __init__(self, model: Any, config: SlotConfig, decoding: Decoding = GREEDY) -> None:
        self.config = config
        self._ends = frozenset(model.generation_config.eos_token_id)
        self._runner = Runner(model, config, decoding)
        self._scheduler = Scheduler(config.slots, config.refill)
        self.slot_steps = 0
        """Tokens that the slots could have written so far."""
        self.live_steps = 0
        """Those of them that belong to a text."""

    @property
    def room(self) -> int:
        """How many more paintings it would take now."""
        return self._scheduler.room

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing in it."""
        return self._scheduler.is_idle

    @property
    def occupancy(self) -> float:
        """Share of what the slots could have written that was written, 0 to 1."""
        return self.live_steps / (self.slot_steps or 1)

    def put(self, painting: Painting) -> None:
        """Take one more painting in hand.

        Raises:
            ValueError: it is longer than a slot.
        """
        if painting.length > self.config.capacity:
            raise ValueError(f"{painting.length} tokens do not fit into {self.config.capacity}")
        self._scheduler.put(painting)

    def cancel(self, key: Hashable) -> None:
        """Forget a painting; nothing happens to the others."""
        slot = self._scheduler.cancel(key)
        if slot is not None:
            self._runner.stop([slot])

    def step(self) -> list[Painting]:
        """Fill the slots that are free, write a block in each, and return what came to its end."""
        done = []
        while group := self._scheduler.next_group():
            done += self._read(group)
        if seated := self._scheduler.seated():
            done += self._write(seated)
        return done

    def _read(self, group: Seats) -> list[Painting]:
        (first,) = self._runner.read([slot for slot, _ in group], [one for _, one in group])
        ended = []
        for (slot, painting), token, logprob, broken in zip(group, *first, strict=True):
            self._scheduler.seat(slot, painting)
            if self._ends_with(painting, token, logprob, broken):
                ended.append((slot, painting))
        return self._leave(ended)

    def _write(self, seated: Seats) -> list[Painting]:
        longest = max(len(one.prompt_ids) + len(one.tokens) - 1 for _, one in seated)
        block = self._runner.write(longest)
        self.slot_steps += len(block) * self.config.slots
        return self._leave([seat for seat in seated if self._takes_up(seat, block)])

    def _takes_up(self, seat: tuple[int, Painting], block: list[Any]) -> bool:
        """Add what was written in a slot to its painting, and say whether it came to its end."""
        slot, painting = seat
        for tokens, logprobs, broken in block:
            self.live_steps += 1
            if self._ends_with(painting, tokens[slot], logprobs[slot], broken[slot]):
                return True
        return False

    def _ends_with(self, painting: Painting, token: float, logprob: float, broken: float) -> bool:
        return painting.write(int(token), logprob, is_broken=bool(broken), ends=self._ends)

    def _leave(self, ended: Seats) -> list[Painting]:
        for slot, _ in ended:
            self._scheduler.leave(slot)
        if ended:
            broken = [slot for slot, one in ended if one.is_broken]
            self._runner.stop([slot for slot, _ in ended], broken=broken)
        return [painting for _, painting in ended]
