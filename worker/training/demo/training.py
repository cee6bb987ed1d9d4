"""The whole training, from nothing to a checkpoint: paint, learn to see, learn to write."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from worker.training.demo import data, seeing, writing
from worker.training.demo import model as miniature
from worker.training.demo.progress import Schedule, learn

SEED = 2026


@dataclass(frozen=True)
class Plan:
    """How much is painted, and how long is learnt."""

    pictures: int
    held: int
    """Pictures kept apart, on which the log reports accuracy."""
    seeing: tuple[Schedule, ...]
    """One after the other; the rate starts afresh with each."""
    writing: Schedule


PLAN = Plan(
    pictures=40_000,
    held=384,
    seeing=(
        Schedule(steps=1600, batch=32, rate=1.5e-3),
        Schedule(steps=1000, batch=32, rate=1e-3),
    ),
    writing=Schedule(steps=900, batch=16, rate=2e-3),
)
"""That of the bundled checkpoint."""


def train(out: Path, *, work: Path, plan: Plan, seed: int) -> None:
    """Train and write the checkpoint; called again after a cut, it goes on from there.

    One thread: with more, sums come in another order and the weights differ
    from run to run.
    """
    torch.set_num_threads(1)
    made = data.load(data.make(work / "pictures", seed=seed, count=plan.pictures))
    held = data.samples(np.random.default_rng([seed, 10**6]), plan.held)
    tokens = miniature.tokenizer()
    model = miniature.build(tokens, seed)
    tower = model.model.vision_tower
    sight = seeing.Seeing(tower, tower.config.hidden_size, made)
    teach = partial(learn, made=made, held=held, folder=work)
    for number, schedule in enumerate(plan.seeing):
        teach(sight, stage=f"seeing-{number + 1}", schedule=schedule, seed=seed + number)
    tower.requires_grad_(requires_grad=False)
    teach(writing.Writing(model, tokens), stage="writing", schedule=plan.writing, seed=seed)
    miniature.save(model, tokens, out)
    (out / "training-log.jsonl").write_bytes((work / "log.jsonl").read_bytes())
