"""How the next token is chosen, and how chance is kept repeatable."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

Step = int | torch.Tensor
"""How many tokens were written before; int64 [batch, 1] where rows differ."""
Choose = Callable[[Step, torch.Tensor], torch.Tensor]
"""From a step and its scores [batch, vocabulary] to scores whose maximum is the choice."""

_INCREMENT, _FIRST, _SECOND = (
    -0x61C8864680B583EB,
    -0x40A7B892E31B1A47,
    -0x6B2FB644ECCEEE15,
)
_SEED_BYTES = 6
"""A seed stays exact in JSON and in every database."""


@dataclass(frozen=True, slots=True)
class Decoding:
    """Greedy at temperature 0; else drawn from the most likely tokens."""

    temperature: float = 0.0
    top_k: int = 50
    seed: int = 0

    def seed_for(self, picture: bytes, sample: int = 0) -> int | None:
        """Return a seed from the bytes of the picture alone; None where nothing is drawn.

        Each further sample about the same picture has another one.
        """
        if not self.temperature:
            return None
        wish = b"%d:%d:" % (self.seed, sample) if sample else b"%d:" % self.seed
        digest = hashlib.sha256(wish + picture).digest()
        return int.from_bytes(digest[:_SEED_BYTES], "big")

    def as_json(self) -> dict[str, object]:
        """Return what a release says of it."""
        if not self.temperature:
            return {"strategy": "greedy"}
        return {
            "strategy": "sampling",
            "temperature": self.temperature,
            "top_k": self.top_k,
            "seed": self.seed,
            "noise": "gumbel-splitmix64-1",
        }


GREEDY = Decoding()
PAPER = Decoding(temperature=0.2, top_k=50)
"""The defaults of GalleryGPT's ``run_llava.py`` under transformers 4.37, with 512 new tokens."""
ANOTHER = Decoding(temperature=0.7, top_k=50)
"""For further samples: at the paper's 0.2 a model that is sure says the same once more."""
PRESETS = {"greedy": GREEDY, "paper": PAPER}


def greedy(_step: Step, scores: torch.Tensor) -> torch.Tensor:
    """Let the most likely token win."""
    return scores


@dataclass(frozen=True, slots=True)
class Sampler:
    """Draws by adding noise that depends on a row's seed, the step and the token, on no more.

    So a text depends neither on its batch nor on the order of the work. The largest of
    ``score / temperature + Gumbel noise`` is a draw from the softmax (Gumbel 1954).
    """

    decoding: Decoding
    seeds: torch.Tensor
    """int64 [batch]"""
    draws: torch.Tensor | None = None
    """bool [batch]: in the other rows the most likely token wins. None: all draw."""

    def __call__(self, step: Step, scores: torch.Tensor) -> torch.Tensor:
        """Return the noisy scores of the most likely tokens; all others are out."""
        noisy = self._noisy(step, scores)
        if self.draws is None:
            return noisy
        return torch.where(self.draws.to(scores.device)[:, None], noisy, scores.double())

    def _noisy(self, step: Step, scores: torch.Tensor) -> torch.Tensor:
        top = scores.topk(min(self.decoding.top_k, scores.shape[-1]))
        noise = _gumbel(self.seeds.to(scores.device)[:, None], step, top.indices)
        keys = top.values.double() / self.decoding.temperature + noise
        out = torch.full_like(scores, -torch.inf, dtype=torch.float64)
        return out.scatter(-1, top.indices, keys)


def drawing(decoding: Decoding, seeds: Sequence[int | None]) -> Choose:
    """Draw in the rows that have a seed; in the others the most likely token wins."""
    draws = torch.tensor([seed is not None for seed in seeds])
    if not draws.any():
        return greedy
    return Sampler(decoding, torch.tensor([seed or 0 for seed in seeds]), draws)


def _gumbel(seeds: torch.Tensor, step: Step, tokens: torch.Tensor) -> torch.Tensor:
    hashed = _mix(_mix(_mix(seeds) + step) + tokens)
    uniform = ((_shifted(hashed, 11)).double() + 0.5) * 2.0**-53
    return -torch.log(-torch.log(uniform))


def _mix(value: torch.Tensor) -> torch.Tensor:
    """Return the next value of splitmix64 (Steele, Lea, Flood 2014); int64 wraps around."""
    value = value + _INCREMENT
    value = (value ^ _shifted(value, 30)) * _FIRST
    value = (value ^ _shifted(value, 27)) * _SECOND
    return value ^ _shifted(value, 31)


def _shifted(value: torch.Tensor, bits: int) -> torch.Tensor:
    """Shift right without copying the sign."""
    return (value >> bits) & ((1 << (64 - bits)) - 1)
