"""How many slots fit: counted in bytes and measured, not guessed."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from worker.engine.decoding import GREEDY
from worker.engine.slots.cache import head_dim
from worker.engine.slots.config import SlotConfig
from worker.engine.slots.painting import Painting
from worker.engine.slots.runner import Runner

_MEMORY = Path("/proc/meminfo")
_CONTAINER = Path("/sys/fs/cgroup")
_SHARE = 0.5
"""Of the memory that a CPU has left: others live there, too."""
_MARGIN = 1 << 30
"""Bytes of a GPU that nobody plans with: CUDA's own, graphs, and gaps between tensors."""
_SPREAD = 1.2
"""How much more a step may take than the one that was measured."""


class NoRoomError(ValueError):
    """Not even one slot fits."""

    def __init__(self, needed: int, free: int) -> None:
        super().__init__(
            f"one picture takes {needed / 1e9:.2f} GB beside the model, and"
            f" {max(0, free) / 1e9:.2f} GB are free; lower PREDELLA_MAX_NEW_TOKENS, or use a"
            " machine with more memory"
        )


def fitted(model: Any, wanted: SlotConfig, *, prompt_ids: torch.Tensor, side: int) -> SlotConfig:
    """Return the configuration with as many slots as were wanted, or as many as memory holds.

    Raises:
        NoRoomError: memory does not hold one.
    """
    each = bytes_per_slot(model, wanted)
    free = _free_on_gpu(model, wanted, prompt_ids, side) if _is_on_gpu(model) else _free_on_cpu()
    if free < each:
        raise NoRoomError(each, free)
    slots = min(wanted.slots, free // each)
    return replace(wanted, slots=slots, refill=min(wanted.refill, slots))


def bytes_per_slot(model: Any, config: SlotConfig) -> int:
    """Return what the keys and values of one painting take."""
    text = model.config.text_config
    numbers = 2 * text.num_hidden_layers * text.num_key_value_heads * head_dim(text)
    size: int = (config.cache_dtype or model.dtype).itemsize
    return int(numbers * config.depth * size)


def _is_on_gpu(model: Any) -> bool:
    return bool(model.device.type == "cuda")


def _free_on_gpu(model: Any, config: SlotConfig, prompt_ids: torch.Tensor, side: int) -> int:
    """Return the bytes that are left beside reading a group of prompts, which is tried."""
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats(model.device)
    before = torch.cuda.memory_allocated(model.device)
    _try(model, replace(config, slots=config.refill), prompt_ids, side)
    taken = torch.cuda.max_memory_allocated(model.device) - before
    torch.cuda.empty_cache()
    free, _ = torch.cuda.mem_get_info(model.device)
    return int(free - _SPREAD * taken - _MARGIN)


def _try(model: Any, config: SlotConfig, prompt_ids: torch.Tensor, side: int) -> None:
    """Read as many prompts at once as will ever be."""
    blank = Painting(None, prompt_ids, torch.zeros(3, side, side), 1)
    runner = Runner(model, config, GREEDY)
    runner.read(range(config.slots), [blank] * config.slots)


def _free_on_cpu() -> int:
    """Return half of the bytes that this machine, or this container, has left."""
    lines = dict(line.split(":") for line in _MEMORY.read_text("ascii").splitlines())
    left = int(lines["MemAvailable"].split()[0]) * 1024
    return int(_SHARE * min(left, _left_in_container(left)))


def _left_in_container(otherwise: int) -> int:
    most, used = _CONTAINER / "memory.max", _CONTAINER / "memory.current"
    if not most.is_file() or not used.is_file() or most.read_text().strip() == "max":
        return otherwise
    return int(most.read_text()) - int(used.read_text())
