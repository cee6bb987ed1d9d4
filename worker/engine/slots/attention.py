"""How the new token of each slot looks back at its own painting and at no other."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Protocol

import structlog
import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from worker.engine.slots.cache import Layer, SlotCache, head_dim
from worker.engine.slots.config import SlotConfig, Way

_NAME = "predella_slots"
_LONG = 256 * 1024
"""Bytes of keys of one prompt in one layer from which a CPU is faster slot by slot."""
_REASON = 500
"""Characters of an error that are worth telling."""
_BUCKET = 64
"""Keys by which a masked step grows: one more mask, not another shape at every token."""

log = structlog.get_logger()


class Attention(Protocol):
    """One way to attend; all give the same but for rounding."""

    def prepare(self, positions: torch.Tensor, longest: int) -> None:
        """Get ready for one step: its places, int64 [slots], the highest of which is known."""
        ...

    def __call__(self, query: torch.Tensor, held: Layer, scale: float) -> torch.Tensor:
        """Return what each slot's token gathers: [slots, heads, 1, head_dim], as the query."""
        ...


class Masked:
    """Reads as many keys of every slot as the fullest has, and hides those that are not its own."""

    def __init__(self, config: SlotConfig, dtype: torch.dtype) -> None:
        self._depth = config.depth
        self._dtype = dtype
        self._mask = torch.empty(0)

    def prepare(self, positions: torch.Tensor, longest: int) -> None:
        """Make the mask of this step, [slots, 1, 1, keys]: 0 or minus infinity."""
        keys = min(self._depth, -(-(longest + 1) // _BUCKET) * _BUCKET)
        hidden = torch.arange(keys, device=positions.device)[None] > positions[:, None]
        mask = torch.zeros(hidden.shape, dtype=self._dtype, device=positions.device)
        self._mask = mask.masked_fill_(hidden, -torch.inf)[:, None, None]

    def __call__(self, query: torch.Tensor, held: Layer, scale: float) -> torch.Tensor:
        """Return what each slot's token gathers."""
        every = slice(None)
        length = self._mask.shape[-1]
        keys = _whole(held.keys[:, :, :length], held.key_scales, every, self._dtype)
        values = _whole(held.values[:, :, :length], held.value_scales, every, self._dtype)
        return scaled_dot_product_attention(
            query, keys, values, attn_mask=self._mask, scale=scale, enable_gqa=_shares(query, keys)
        )


class Ragged:
    """Reads of every slot what is its own and nothing else, one slot after the other.

    What a CPU takes for the additional calls it wins many times over in bytes not read, where a
    slot holds a long prompt.
    """

    def __init__(self, dtype: torch.dtype) -> None:
        self._dtype = dtype
        self._lengths: list[int] = []

    def prepare(self, positions: torch.Tensor, longest: int) -> None:
        """Note how many keys every slot has with the one that this step adds."""
        del longest
        self._lengths = (positions + 1).tolist()

    def __call__(self, query: torch.Tensor, held: Layer, scale: float) -> torch.Tensor:
        """Return what each slot's token gathers."""
        slots, _, _, width = query.shape
        # Heads that share a key stand together.
        asked = query.view(slots, held.keys.shape[1], -1, width) * scale
        gathered = torch.empty_like(asked)
        for slot, length in enumerate(self._lengths):
            keys = _whole(held.keys[slot, :, :length], held.key_scales, slot, self._dtype)
            values = _whole(held.values[slot, :, :length], held.value_scales, slot, self._dtype)
            weights = torch.bmm(keys, asked[slot].transpose(1, 2)).transpose(1, 2).softmax(-1)
            torch.bmm(weights, values, out=gathered[slot])
        return gathered.view_as(query)


class Kernel:
    """Reads of every slot what is its own and nothing else, in one Triton kernel."""

    def __init__(self, config: SlotConfig, device: torch.device) -> None:
        from worker.engine.slots.kernel import decode_attention

        self._attend = decode_attention
        self._lengths = torch.zeros(config.slots, dtype=torch.int32, device=device)

    def prepare(self, positions: torch.Tensor, longest: int) -> None:
        """Note how many keys every slot has with the one that this step adds."""
        del longest
        self._lengths.copy_(positions + 1)

    def __call__(self, query: torch.Tensor, held: Layer, scale: float) -> torch.Tensor:
        """Return what each slot's token gathers."""
        return self._attend(
            query,
            held.keys,
            held.values,
            self._lengths,
            scale,
            key_scales=held.key_scales,
            value_scales=held.value_scales,
        )


def fastest(model: Any, prompt_tokens: int) -> Way:
    """Return the name of the fastest way on this model's device, for prompts of this length."""
    if model.device.type == "cuda":
        return "triton" if runs_triton(model.device) else "masked"
    text = model.config.text_config
    keys = prompt_tokens * text.num_key_value_heads * head_dim(text) * model.dtype.itemsize
    return "ragged" if keys > _LONG else "masked"


@cache
def runs_triton(device: torch.device) -> bool:
    """Say whether Triton can compile for this device: it needs its package, a GPU, and gcc."""
    numbers = torch.zeros(1, 1, 1, 16, device=device)
    try:
        from worker.engine.slots.kernel import decode_attention

        decode_attention(
            numbers, numbers, numbers, torch.ones(1, dtype=torch.int32, device=device), 1.0
        )
    except Exception as error:  # noqa: BLE001  (whatever is missing: it can be done without)
        log.warning("no_triton", device=str(device), reason=str(error)[:_REASON])
        return False
    return True


def attention(config: SlotConfig, *, dtype: torch.dtype, device: torch.device) -> Attention:
    """Return the way to attend that the configuration names."""
    match config.attention:
        case "masked":
            return Masked(config, dtype)
        case "ragged":
            return Ragged(dtype)
        case "triton":
            return Kernel(config, device)


@contextmanager
def installed(language_model: Any) -> Iterator[None]:
    """Let the model attend through the cache that its steps are given."""
    config = language_model.config
    usual = config._attn_implementation  # noqa: SLF001  (the one name that transformers has for it)
    config._attn_implementation = _NAME  # noqa: SLF001
    try:
        yield
    finally:
        config._attn_implementation = usual  # noqa: SLF001


def _attend(
    module: Any,
    query: torch.Tensor,
    keys: torch.Tensor,
    values: torch.Tensor,
    _mask: None,
    *,
    scaling: float,
    slot_cache: SlotCache,
    slot_attention: Attention,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Stand in for a function of transformers: a prompt attends to itself, a token to its slot."""
    if slot_cache.is_filling:
        gathered = scaled_dot_product_attention(
            query, keys, values, is_causal=True, scale=scaling, enable_gqa=_shares(query, keys)
        )
    else:
        gathered = slot_attention(query, slot_cache.layers[module.layer_idx], scaling)
    return gathered.transpose(1, 2).contiguous(), None


def _whole(
    stored: torch.Tensor, scales: torch.Tensor | None, slot: int | slice, dtype: torch.dtype
) -> torch.Tensor:
    """Return stored numbers [..., kv_heads, tokens, head_dim] as the model calculates with them."""
    read = stored.to(dtype)
    return read if scales is None else read * scales[slot][..., None, None].to(dtype)


def _shares(query: torch.Tensor, keys: torch.Tensor) -> bool:
    """Whether several heads of the query share one of the keys."""
    return query.shape[1] != keys.shape[1]


# Under a name that no mask is registered for, transformers makes none.
ALL_ATTENTION_FUNCTIONS.register(_NAME, _attend)
