"""A LLaVA in the slots of the batch engine: how releases are served."""

from collections.abc import Hashable, Sequence
from typing import Literal

import structlog
import torch

from worker.engine.llava import Asked, Llava
from worker.engine.prompts import Prompt
from worker.engine.protocol import Answer, EngineFailure, Request, answers
from worker.engine.slots import Painting, SlotConfig, SlotEngine
from worker.engine.slots.attention import fastest
from worker.engine.slots.config import FP8
from worker.engine.slots.memory import NoRoomError, fitted
from worker.engine.writing import device_name, generation, not_finite, spare_threads

KvCache = Literal["auto", "fp8"]

_SLOTS = {"cpu": 16, "cuda": 192}
_REFILL, _SLOTS_TO_ONE = 4, 16
"""The most prompts that are read together; free slots that wait for others must be few."""
_BLOCK = {"cpu": 1, "cuda": 4}

log = structlog.get_logger()


class SlottedEngine:
    """Writes about many pictures at once; each enters and leaves by itself.

    In float32 a text does not depend on what else is in the engine. In half precision it can.
    """

    picture = Llava.picture

    def __init__(
        self, llava: Llava, *, slots: int | None = None, kv_cache: KvCache = "auto"
    ) -> None:
        spare_threads(llava.model)
        self.llava = llava
        self.device = device_name(llava.model.device)
        self._wanted, self._kv_cache = slots, kv_cache
        self._asked: dict[Hashable, Asked] = {}
        self._failed: list[tuple[Hashable, EngineFailure]] = []
        self._too_long: list[Painting] = []
        self._occupancy = 0.0
        self._engine = self._sized(llava.question(llava.prompt).ids)
        self.release = llava.release(self._kind())
        self.drawing = llava.drawn(self.release)

    def _kind(self) -> str:
        """Return what of the engine can change a text: in float32 its arithmetic does not."""
        config = self._engine.config
        if config.cache_dtype == FP8:
            return f"slots/{config.attention}/fp8"
        return "slots" if self.llava.dtype == torch.float32 else f"slots/{config.attention}"

    @property
    def batch_size(self) -> int:
        """The most pictures that it works on at once."""
        return self._engine.config.slots

    @property
    def room(self) -> int:
        """How many more it would take for its next step."""
        return 0 if self._too_long else self._engine.room

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing in it."""
        return not (self._asked or self._failed)

    @property
    def occupancy(self) -> float:
        """Share of its slots that were at work during its last step, 0 to 1."""
        return self._occupancy

    def render(self, prompt: Prompt) -> str:
        """Return what the model would be given to ask this.

        Raises:
            PromptError: it holds control tokens, or does not fit.
        """
        return self.llava.question(prompt).rendered

    def open(self, request: Request) -> Asked | EngineFailure:
        """Return the picture as numbers, with its question; may run in any thread."""
        return self.llava.open(request)

    def put(self, key: Hashable, asked: Asked | EngineFailure) -> None:
        """Take one more in hand."""
        if isinstance(asked, EngineFailure):
            self._failed.append((key, asked))
            return
        self._asked[key] = asked
        painting = self._painting(key, asked)
        if painting.length > self._engine.config.capacity:
            self._too_long.append(painting)
        else:
            self._engine.put(painting)

    def _painting(self, key: Hashable, asked: Asked) -> Painting:
        pixels = torch.from_numpy(asked.pixels)
        most = self.llava.checkpoint.max_new_tokens
        return Painting(key, asked.question.ids, pixels, most, asked.seed)

    def cancel(self, key: Hashable) -> None:
        """Forget one that is no longer wanted; nothing happens to the others."""
        self._asked.pop(key, None)
        self._failed = [one for one in self._failed if one[0] != key]
        self._too_long = [one for one in self._too_long if one.key != key]
        self._engine.cancel(key)

    def step(self) -> list[tuple[Hashable, Answer]]:
        """Bring every picture a little further, and return the answers that are ready."""
        if self._too_long and self._engine.is_idle:
            self._grow()
        done: list[tuple[Hashable, Answer]] = [*self._failed]
        self._failed = []
        return done + [(one.key, self._answer(one)) for one in self._written()]

    def _written(self) -> list[Painting]:
        """Return the paintings that a step brings to their end."""
        engine = self._engine
        live, possible = engine.live_steps, engine.slot_steps
        ended = engine.step()
        self._occupancy = (engine.live_steps - live) / (engine.slot_steps - possible or 1)
        return ended

    def generate(self, pictures: Sequence[bytes]) -> list[Answer]:
        """Return one answer for each picture, all asked what it was loaded with."""
        return answers(self, [Request(picture, self.llava.prompt) for picture in pictures])

    def _answer(self, painting: Painting) -> Answer:
        asked = self._asked.pop(painting.key)
        if painting.is_broken:
            return not_finite()
        ends = self.llava.model.generation_config.eos_token_id
        return generation(
            painting.tokens,
            painting.logprobs,
            text=self.llava.checkpoint.decode(painting.tokens),
            is_ended=painting.tokens[-1] in ends,
            prompt_tokens=len(painting.prompt_ids),
            rendered_prompt=asked.question.rendered,
            seed=asked.seed,
            batch_size=self.batch_size,
        )

    def _grow(self) -> None:
        """Make longer slots for a longer question, now that nobody sits in the shorter ones."""
        waiting, self._too_long = self._too_long, []
        longest = max(waiting, key=lambda one: one.length)
        del self._engine
        try:
            self._engine = self._sized(longest.prompt_ids)
        except NoRoomError as error:
            self._engine = self._sized(self.llava.question(self.llava.prompt).ids)
            for one in waiting:
                del self._asked[one.key]
                self._failed.append((one.key, _no_room(error)))
        else:
            for one in waiting:
                self._engine.put(one)

    def _sized(self, prompt_ids: torch.Tensor) -> SlotEngine:
        """Return an engine whose slots hold this prompt and the longest text.

        Raises:
            NoRoomError: memory does not hold one.
        """
        config = slot_config(self.llava, prompt_ids, slots=self._wanted, kv_cache=self._kv_cache)
        return SlotEngine(self.llava.model, config, self.llava.drawing)


def slot_config(
    llava: Llava, prompt_ids: torch.Tensor, *, slots: int | None, kv_cache: KvCache
) -> SlotConfig:
    """Return how this model is best run on its device, as far as memory goes.

    Raises:
        NoRoomError: memory does not hold one slot.
    """
    kind = llava.model.device.type
    wanted = slots or _SLOTS[kind]
    capacity = len(prompt_ids) + llava.checkpoint.max_new_tokens
    config = SlotConfig(
        slots=wanted,
        capacity=capacity,
        refill=min(_REFILL, wanted // _SLOTS_TO_ONE) or 1,
        block=_BLOCK[kind],
        attention=fastest(llava.model, len(prompt_ids)),
        cache_dtype=FP8 if kv_cache == "fp8" else None,
    )
    side = llava.checkpoint.normalisation.side
    config = fitted(llava.model, config, prompt_ids=prompt_ids, side=side)
    if config.slots < wanted:
        log.info("fewer_slots", wanted=wanted, slots=config.slots)
    return config


def _no_room(error: NoRoomError) -> EngineFailure:
    return EngineFailure("no_room", f"Its question is too long: {error}.")
