"""One painting on its way through the engine."""

from collections.abc import Collection, Hashable
from dataclasses import dataclass, field

import torch


@dataclass(eq=False, slots=True)
class Painting:
    """A picture with its question, and what was written about it so far."""

    key: Hashable
    prompt_ids: torch.Tensor
    """int64 [tokens], with one place for each part of the picture"""
    pixels: torch.Tensor
    """float32 [3, side, side], as the vision tower takes them"""
    max_new_tokens: int
    seed: int | None = None
    """None: the most likely token always wins."""
    tokens: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    """Natural logarithms, one for each token."""
    is_broken: bool = False
    """Whether a score was not finite: what was written means nothing."""

    @property
    def length(self) -> int:
        """Tokens that it will have taken at its end."""
        return len(self.prompt_ids) + self.max_new_tokens

    def write(self, token: int, logprob: float, *, is_broken: bool, ends: Collection[int]) -> bool:
        """Add one token, and say whether it was the last."""
        self.tokens.append(token)
        self.logprobs.append(logprob)
        self.is_broken = is_broken
        return is_broken or token in ends or len(self.tokens) >= self.max_new_tokens
