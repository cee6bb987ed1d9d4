"""How many paintings are written at once, and in how much memory."""

from dataclasses import dataclass
from typing import Literal

import torch

Way = Literal["masked", "ragged", "triton"]
"""To attend; see ``worker.engine.slots.attention``."""
FP8 = torch.float8_e4m3fn


@dataclass(frozen=True, slots=True)
class SlotConfig:
    """The shape of one slot engine; it does not change while the engine lives."""

    slots: int
    """Paintings that are written at once."""
    capacity: int
    """Tokens that one slot holds: prompt, picture and text."""
    refill: int = 4
    """Paintings that are read at once, where so many wait and so many slots are free."""
    block: int = 1
    """Tokens that every slot writes before anybody looks at them."""
    attention: Way = "masked"
    cache_dtype: torch.dtype | None = None
    """What keys and values are stored in; None is what the model calculates in."""

    def __post_init__(self) -> None:
        for name in ("slots", "capacity", "refill", "block"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        if self.cache_dtype not in {None, FP8} and not self._is_whole:
            raise ValueError(f"keys and values cannot be stored in {self.cache_dtype}")

    @property
    def _is_whole(self) -> bool:
        return self.cache_dtype in {torch.float16, torch.bfloat16, torch.float32}

    @property
    def depth(self) -> int:
        """Places for tokens in one slot: a text that ended goes on to the end of its block."""
        return self.capacity + self.block
