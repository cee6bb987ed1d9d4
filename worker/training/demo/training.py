"""The whole training, from nothing to a checkpoint: paint, learn to see, learn to write."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from worker.training.demo import data, seeing, writing
from worker.training.demo import model as miniature

SEED = 2026
_HELD = 96
"""Pictures kept apart, on which the log reports accuracy."""


@dataclass(frozen=True)
class Plan:
    """How much is painted, and how long each stage lasts."""

    pictures: int
    seeing_steps: int
    writing_steps: int


PLAN = Plan(pictures=40_000, seeing_steps=1600, writing_steps=900)
"""That of the bundled checkpoint."""


def train(out: Path, *, work: Path, plan: Plan, seed: int) -> None:
    """Train and write the checkpoint; called again after a cut, it goes on from there.

    One thread: with more, sums come in another order and the weights differ
    from run to run.
    """
    torch.set_num_threads(1)
    made = data.load(data.make(work / "pictures", seed=seed, count=plan.pictures))
    held = data.samples(np.random.default_rng([seed, 10**6]), 4 * _HELD)
    tokens = miniature.tokenizer()
    model = miniature.build(tokens, seed)
    tower = model.model.vision_tower
    sight = seeing.Seeing(tower, tower.config.hidden_size, made)
    seeing.train(sight, made, held, seed=seed, steps=plan.seeing_steps, folder=work)
    writer = writing.Writing(model, tokens)
    writing.train(writer, made, held[:_HELD], seed=seed, steps=plan.writing_steps, folder=work)
    miniature.save(model, tokens, out)
    (out / "training-log.jsonl").write_bytes((work / "log.jsonl").read_bytes())
