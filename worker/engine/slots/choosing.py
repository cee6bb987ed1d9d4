"""From the scores of a step to the tokens that are written."""

from dataclasses import dataclass

import torch

from worker.engine.decoding import Decoding, Sampler, Step, greedy


@dataclass(frozen=True, slots=True)
class Choice:
    """What one step chose for each row."""

    tokens: torch.Tensor
    """int64 [rows]"""
    logprobs: torch.Tensor
    """float32 [rows], natural logarithms among the tokens that could be chosen"""
    is_broken: torch.Tensor
    """bool [rows], whether a score was not finite"""

    def rows(self) -> torch.Tensor:
        """Return all of it as float64 [3, rows], which holds every token exactly."""
        return torch.stack([one.double() for one in (self.tokens, self.logprobs, self.is_broken)])


class Chooser:
    """Chooses the most likely token, or draws one with the noise of its own painting.

    Paintings of both kinds may sit side by side.
    """

    def __init__(self, decoding: Decoding, suppressed: torch.Tensor) -> None:
        self._decoding = decoding
        self._suppressed = suppressed

    def __call__(
        self,
        logits: torch.Tensor,
        step: Step,
        seeds: torch.Tensor,
        draws: torch.Tensor | None = None,
    ) -> Choice:
        """Return a token for every row; logits: float32 [rows, vocabulary], seeds: int64 [rows].

        ``draws``: bool [rows]; None where no row draws, which spares the search for the
        likeliest.
        """
        scores = logits.index_fill(-1, self._suppressed, -torch.inf)
        broken = ~scores.amax(-1).isfinite()
        choose = greedy if draws is None else Sampler(self._decoding, seeds, draws)
        tokens = choose(step, scores).argmax(-1)
        chosen = scores.gather(-1, tokens[:, None]).squeeze(-1)
        return Choice(tokens, chosen - scores.logsumexp(-1), broken)
