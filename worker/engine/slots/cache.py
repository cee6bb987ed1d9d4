"""The keys and values of all slots: what a step writes into, and what it reads."""

from dataclasses import dataclass
from typing import Any

import torch

from worker.engine.slots.config import FP8, SlotConfig

_LARGEST = 448.0
"""In float8_e4m3fn."""
_HEADROOM = 2.0
"""How much larger than those of its prompt the numbers of a text may be in 8 bits."""
_SMALLEST_SCALE = 1e-6


@dataclass(slots=True)
class Layer:
    """What one layer of the model remembers."""

    keys: torch.Tensor
    """[slots, kv_heads, depth, head_dim]"""
    values: torch.Tensor
    key_scales: torch.Tensor | None
    """float32 [slots, kv_heads], what a stored number is multiplied with; only for 8 bits"""
    value_scales: torch.Tensor | None


class SlotCache:
    """Stands where transformers expects a cache, for a model that attends with `attend`.

    A step either fills slots from their beginning (every row the same number of tokens) or adds
    one token to each slot, at a place of its own.
    """

    is_compileable = False

    def __init__(
        self, text_config: Any, config: SlotConfig, *, dtype: torch.dtype, device: torch.device
    ) -> None:
        heads = text_config.num_key_value_heads
        shape = (config.slots, heads, config.depth, head_dim(text_config))
        self._dtype = config.cache_dtype or dtype
        self.layers = [
            Layer(
                torch.zeros(shape, dtype=self._dtype, device=device),
                torch.zeros(shape, dtype=self._dtype, device=device),
                *(self._scales(shape[:2], device) for _ in range(2)),
            )
            for _ in range(text_config.num_hidden_layers)
        ]
        self.positions = torch.zeros(config.slots, dtype=torch.long, device=device)
        """int64 [slots]: where the next token of each slot goes"""
        self._filling: torch.Tensor | None = None

    def _scales(self, shape: tuple[int, ...], device: torch.device) -> torch.Tensor | None:
        return torch.ones(shape, device=device) if self._dtype == FP8 else None

    @property
    def is_filling(self) -> bool:
        """Whether this step reads prompts."""
        return self._filling is not None

    def fill(self, slots: torch.Tensor) -> None:
        """Let the next step fill these slots from their beginning; int64 [rows]."""
        self._filling = slots

    def extend(self) -> None:
        """Let the next step add a token to every slot, at its place in ``positions``."""
        self._filling = None

    def clear(self, slot: int) -> None:
        """Forget what a slot holds: hidden by a mask, what is not finite would still spread."""
        for layer in self.layers:
            _bits(layer.keys)[slot] = 0
            _bits(layer.values)[slot] = 0

    def update(
        self, keys: torch.Tensor, values: torch.Tensor, layer: int, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Write the keys and values of this step, [rows, kv_heads, tokens, head_dim]."""
        held = self.layers[layer]
        if self._filling is None:
            self._add(held.keys, keys, held.key_scales)
            self._add(held.values, values, held.value_scales)
            return held.keys, held.values
        self._start(held.keys, keys, held.key_scales, self._filling)
        self._start(held.values, values, held.value_scales, self._filling)
        return keys, values

    def _start(
        self,
        into: torch.Tensor,
        new: torch.Tensor,
        scales: torch.Tensor | None,
        slots: torch.Tensor,
    ) -> None:
        if scales is not None:
            largest = new.abs().amax((2, 3)).float()
            scales[slots] = (largest * (_HEADROOM / _LARGEST)).clamp(min=_SMALLEST_SCALE)
            new = _stored(new, scales[slots])
        _bits(into)[slots, :, : new.shape[2]] = _bits(new)

    def _add(self, into: torch.Tensor, new: torch.Tensor, scales: torch.Tensor | None) -> None:
        if scales is not None:
            new = _stored(new, scales)
        place = self.positions.view(-1, 1, 1, 1).expand_as(new)
        _bits(into).scatter_(2, place, _bits(new))

    def get_seq_length(self, _layer: int = 0) -> int:
        """Say nothing of the past: every slot has its own, and positions are given."""
        return 0

    def get_query_offset(self, _layer: int = 0) -> int:
        """Say nothing of the past."""
        return 0

    def get_mask_sizes(self, length: int, _layer: int = 0) -> tuple[int, int]:
        """Say nothing of the past: no mask is made from it."""
        return length, 0


def head_dim(text_config: Any) -> int:
    """Return how many numbers one head of this model has."""
    own = getattr(text_config, "head_dim", None)
    return int(own or text_config.hidden_size // text_config.num_attention_heads)


def _stored(numbers: torch.Tensor, scales: torch.Tensor) -> torch.Tensor:
    """Return numbers in 8 bits, divided by the scale of their slot and head."""
    scaled = numbers / scales[:, :, None, None].to(numbers.dtype)
    return scaled.clamp(-_LARGEST, _LARGEST).to(FP8)


def _bits(numbers: torch.Tensor) -> torch.Tensor:
    """Return numbers of 8 bits as bytes, which more operations of torch know."""
    return numbers.view(torch.uint8) if numbers.dtype == FP8 else numbers
