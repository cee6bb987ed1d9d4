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
class Round:
    """Learn to see, then learn to say what is seen."""

    seeing: Schedule
    writing: Schedule


@dataclass(frozen=True)
class Plan:
    """How much is painted, and how long is learnt."""

    pictures: int
    held: int
    """Pictures kept apart, on which the log reports accuracy."""
    rounds: tuple[Round, ...]


PLAN = Plan(
    pictures=40_000,
    held=384,
    rounds=(
        Round(Schedule(steps=1600, batch=32, rate=1.5e-3), Schedule(900, batch=16, rate=2e-3)),
        Round(Schedule(steps=1000, batch=32, rate=1e-3), Schedule(400, batch=16, rate=1e-3)),
    ),
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
    writer = writing.Writing(model, tokens)
    for number, one in enumerate(plan.rounds, 1):
        teach = partial(learn, made=made, held=held, seed=seed + number - 1, folder=work)
        tower.requires_grad_(requires_grad=True)
        teach(sight, stage=f"seeing-{number}", schedule=one.seeing)
        tower.requires_grad_(requires_grad=False)
        teach(writer, stage=f"writing-{number}", schedule=one.writing)
    miniature.save(model, tokens, out)
    (out / "training-log.jsonl").write_bytes((work / "log.jsonl").read_bytes())
