"""What the slots make of texts that are given: for judging arithmetic that cannot be exact.

Written freely, two texts part at the first near-tie and cannot be compared any more. Under the
same words every score can.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from worker.engine.decoding import GREEDY
from worker.engine.slots.config import SlotConfig
from worker.engine.slots.painting import Painting
from worker.engine.slots.runner import Runner

_CLEAR = 0.25
"""Nats by which a token leads when its lead is no matter of rounding."""


@torch.inference_mode()
def forced(model: Any, config: SlotConfig, paintings: Sequence[Painting]) -> list[torch.Tensor]:
    """Return the scores before each token of these paintings' texts: float32 [tokens, words].

    All are asked the same, and each sits in a slot of its own.
    """
    runner = Runner(model, replace(config, slots=len(paintings)), GREEDY)
    texts = _padded([one.tokens for one in paintings]).to(model.device)
    first = len(paintings[0].prompt_ids)
    scores = [runner.prefill(torch.arange(len(paintings), device=model.device), paintings)]
    for step in range(texts.shape[1] - 1):
        runner.tokens.copy_(texts[:, step])
        runner.cache.positions.fill_(first + step)
        scores.append(runner.decode(first + step))
    every = torch.stack(scores, 1).cpu()
    return [rows[: len(one.tokens)] for rows, one in zip(every, paintings, strict=True)]


def _padded(texts: Sequence[Sequence[int]]) -> torch.Tensor:
    """Return int64 [texts, tokens], zeros where a text has ended."""
    rows = [torch.tensor(text) for text in texts]
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)


@dataclass(frozen=True, slots=True)
class Strayed:
    """How far the scores of one arithmetic lie from those of another, under the same words."""

    tokens: int
    mean: float
    """Nats by which the log-probability of a token differs."""
    turned: float
    """Share of tokens that led clearly and no longer lead."""


def strayed(
    found: Sequence[torch.Tensor], wanted: Sequence[torch.Tensor], texts: Sequence[Sequence[int]]
) -> Strayed:
    """Compare scores under the same texts, [tokens, words] each."""
    ours = torch.cat(list(found)).log_softmax(-1)
    theirs = torch.cat(list(wanted)).log_softmax(-1)
    words = torch.tensor([token for text in texts for token in text])[:, None]
    best = theirs.topk(2).values
    clear = best[:, 0] - best[:, 1] > _CLEAR
    turned = clear & (ours.argmax(-1) != theirs.argmax(-1))
    return Strayed(
        tokens=len(words),
        mean=float((ours - theirs).gather(-1, words).abs().mean()),
        turned=float(turned.float().mean()),
    )
