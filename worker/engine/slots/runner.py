"""The model itself: reading prompts into slots, and writing a block of tokens in every slot."""

from collections.abc import Sequence
from typing import Any

import torch

from worker.engine.decoding import Decoding
from worker.engine.slots.attention import attention, installed
from worker.engine.slots.cache import SlotCache
from worker.engine.slots.choosing import Choice, Chooser
from worker.engine.slots.config import SlotConfig
from worker.engine.slots.painting import Painting

Rows = list[tuple[list[float], list[float], list[float]]]
"""For each step of a block: tokens, log-probabilities, whether broken, by slot."""


class Runner:
    """An unmodified LLaVA of transformers, run by slots.

    All that changes from step to step lies on the device, so that a block of steps is one
    CUDA graph: the host looks at what was written once in a block.
    """

    def __init__(self, model: Any, config: SlotConfig, decoding: Decoding) -> None:
        self._model = model
        self._language = model.model.language_model
        self._embed = model.get_input_embeddings()
        self._config = config
        self._device, self._dtype = model.device, model.dtype
        where = {"dtype": self._dtype, "device": self._device}
        self._attention = attention(config, **where)
        self.cache = SlotCache(model.config.text_config, config, **where)
        suppressed = torch.tensor(model.generation_config.suppress_tokens or [], dtype=torch.long)
        self._choose = Chooser(decoding, suppressed.to(self._device))
        self._can_draw = decoding.temperature > 0
        self.tokens, self._written, self._seeds, self._live = (
            torch.zeros(config.slots, dtype=torch.long, device=self._device) for _ in range(4)
        )
        self._draws = torch.zeros(config.slots, dtype=torch.bool, device=self._device)
        self._drawing: set[int] = set()
        """Slots; while there are none, a step does not pay for what drawing takes."""
        self._block = torch.zeros(
            config.block, 3, config.slots, dtype=torch.float64, device=self._device
        )
        self._graphs: dict[bool, torch.cuda.CUDAGraph] = {}

    @torch.inference_mode()
    def read(self, slots: Sequence[int], paintings: Sequence[Painting]) -> Rows:
        """Fill these slots with what is asked about these paintings; return their first tokens."""
        choice = self._first(slots, paintings)
        return _on_host(choice.rows()[None])

    def _first(self, slots: Sequence[int], paintings: Sequence[Painting]) -> Choice:
        where = self._on_device(slots)
        seeds = self._on_device([one.seed or 0 for one in paintings])
        drawing = [self._can_draw and one.seed is not None for one in paintings]
        self._drawing |= {slot for slot, draws in zip(slots, drawing, strict=True) if draws}
        draws = self._on_device(drawing).bool()
        choice = self._choose(
            self.prefill(where, paintings), 0, seeds, draws if any(drawing) else None
        )
        self.tokens[where], self._seeds[where] = choice.tokens, seeds
        self._draws[where] = draws
        self._written[where], self._live[where] = 1, 1
        self.cache.positions[where] = len(paintings[0].prompt_ids)
        return choice

    @torch.inference_mode()
    def prefill(self, slots: torch.Tensor, paintings: Sequence[Painting]) -> torch.Tensor:
        """Read prompts into these slots; return the scores after them, float32 [rows, words]."""
        embeddings = self._embeddings(paintings)
        self.cache.fill(slots)
        places = torch.arange(embeddings.shape[1], device=self._device)
        hidden = self._forward(embeddings, places.expand(len(paintings), -1))
        return self._scores(hidden)

    def _embeddings(self, paintings: Sequence[Painting]) -> torch.Tensor:
        """Return words and pictures as the language model takes them: [rows, tokens, hidden]."""
        ids = paintings[0].prompt_ids.to(self._device)
        is_picture = ids == self._model.config.image_token_id
        pixels = torch.stack([one.pixels for one in paintings])
        features = self._features(pixels.to(self._device, self._dtype))
        words: torch.Tensor = self._embed(ids.masked_fill(is_picture, 0))
        embeddings = words.repeat(len(paintings), 1, 1)
        embeddings[:, is_picture] = features.to(embeddings.dtype)
        return embeddings

    def _features(self, pixels: torch.Tensor) -> torch.Tensor:
        config = self._model.config
        found = self._model.model.get_image_features(
            pixel_values=pixels,
            vision_feature_layer=config.vision_feature_layer,
            vision_feature_select_strategy=config.vision_feature_select_strategy,
            return_dict=True,
        )
        return torch.stack(tuple(found.pooler_output))

    @torch.inference_mode()
    def write(self, longest: int) -> Rows:
        """Write a block of tokens in every slot; ``longest`` is the most that any slot holds."""
        if self._device.type == "cuda":
            self._replay()
        else:
            self._steps(longest)
        return _on_host(self._block)

    def _steps(self, longest: int) -> None:
        draws = self._draws if self._drawing else None
        for number in range(self._config.block):
            choice = self._choose(
                self.decode(longest + number), self._written[:, None], self._seeds, draws
            )
            self._block[number] = choice.rows()
            self.tokens.copy_(choice.tokens)
            self._written.add_(self._live)
            self.cache.positions.add_(self._live)

    @torch.inference_mode()
    def decode(self, longest: int) -> torch.Tensor:
        """Return the scores after the token of every slot, float32 [slots, words]."""
        self.cache.extend()
        positions = self.cache.positions
        self._attention.prepare(positions, longest)
        embeddings = self._embed(self.tokens)[:, None]
        return self._scores(self._forward(embeddings, positions[:, None]))

    def _replay(self) -> None:
        """Run a block as one graph: one for when somebody draws, one for when nobody does."""
        draws = bool(self._drawing)
        if draws not in self._graphs:
            self._graphs[draws] = self._captured()
        self._graphs[draws].replay()

    def _captured(self) -> torch.cuda.CUDAGraph:
        """Return one block of steps as a graph.

        Warming up writes tokens that nobody asked for: where the slots stand is kept aside.
        """
        state = (self.tokens, self._written, self.cache.positions)
        kept = [one.clone() for one in state]
        side = torch.cuda.Stream()  # type: ignore[no-untyped-call]  # (torch leaves it so)
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            self._steps(self._config.capacity)
        torch.cuda.current_stream().wait_stream(side)
        for one, before in zip(state, kept, strict=True):
            one.copy_(before)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._steps(self._config.capacity)
        return graph

    def _forward(self, embeddings: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        """Return the last hidden state of every row, [rows, hidden]; places: [rows, tokens]."""
        with installed(self._language):
            passed = self._language(
                inputs_embeds=embeddings,
                position_ids=places,
                past_key_values=self.cache,
                use_cache=True,
                slot_cache=self.cache,
                slot_attention=self._attention,
            )
        last: torch.Tensor = passed.last_hidden_state[:, -1]
        return last

    def _scores(self, hidden: torch.Tensor) -> torch.Tensor:
        scores: torch.Tensor = self._model.lm_head(hidden).float()
        return scores

    @torch.inference_mode()
    def stop(self, slots: Sequence[int], *, broken: Sequence[int] = ()) -> None:
        """Let these slots rest; what is broken is wiped out."""
        where = self._on_device(slots)
        self._live[where], self.tokens[where], self.cache.positions[where] = 0, 0, 0
        self._draws[where] = False
        self._drawing.difference_update(slots)
        for slot in broken:
            self.cache.clear(slot)

    def _on_device(self, numbers: Sequence[int]) -> torch.Tensor:
        return torch.tensor(numbers, dtype=torch.long).to(self._device)


def _on_host(block: torch.Tensor) -> Rows:
    """Return float64 [steps, 3, rows] as lists: one copy, for which the host waits."""
    rows: Rows = block.tolist()
    return rows
