"""How sure the model was of each token, noted while it writes."""

from collections.abc import Sequence

import numpy as np
import torch
from transformers import LogitsProcessor

from worker.engine.decoding import Choose, greedy
from worker.engine.protocol import WINDOW


class Watcher(LogitsProcessor):
    """Notes the log-probability of the token that is about to be chosen.

    It stands last among the logits processors, so it sees the scores of the tokens that can be
    chosen and of no others: a vocabulary is often padded with rows that mean nothing. A row
    whose scores are not finite ends at once and is remembered, so that it harms only itself.
    """

    def __init__(self, end: int, choose: Choose = greedy) -> None:
        self._end = end
        self._choose = choose
        self._steps: list[torch.Tensor] = []
        self._broken: torch.Tensor | None = None

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Note one step; scores: float [batch, vocabulary], the greatest of a row is chosen."""
        del input_ids
        scores = scores.float()
        broken = ~scores.amax(-1).isfinite()
        self._broken = broken if self._broken is None else self._broken | broken
        choice = self._choose(len(self._steps), scores)
        chosen = scores.gather(-1, choice.argmax(-1, keepdim=True)).squeeze(-1)
        self._steps.append(chosen - scores.logsumexp(-1))
        only_end = torch.full_like(choice, -torch.inf)
        only_end[:, self._end] = 0
        return torch.where(broken[:, None], only_end, choice)

    def logprobs(self) -> list[list[float]]:
        """Return natural logarithms [batch][step]."""
        return torch.stack(self._steps, -1).double().tolist()

    def broken(self) -> list[bool]:
        """Say for each picture whether its scores ever were not finite."""
        return [] if self._broken is None else self._broken.tolist()


def lowest_window(logprobs: Sequence[float]) -> float:
    """Return the lowest mean over 16 values in a row, or over all where there are fewer."""
    width = min(WINDOW, len(logprobs))
    return float(np.convolve(logprobs, np.full(width, 1 / width), "valid").min())
