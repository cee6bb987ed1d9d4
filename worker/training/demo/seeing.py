"""First stage: the vision tower learns to see what can be measured.

Throw-away heads read the measurements from the mean of all patch tokens and,
once more, from single tokens: the language model will look at single tokens,
so each must come to know the whole picture. Half-way up, a third head reads
from every token what holds at its own place, its mirror image included;
without it symmetry is not found in any time worth waiting for.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from worker.training.demo import attributes, colours, data
from worker.training.demo import model as miniature
from worker.training.demo.colours import Pixels
from worker.training.demo.progress import Learner

_GRID = data.SIDE // miniature.PATCH
_CHROMATIC = [colours.NAMES.index(name) for name in colours.CHROMATIC]


class Truth:
    """What the heads should read: measurements, and each value's place or -100 in a dead zone."""

    def __init__(self, batch: list[data.Sample]) -> None:
        self.numbers = torch.from_numpy(np.stack([attributes.as_vector(s.measured) for s in batch]))
        values = [attributes.classify(sample.measured) for sample in batch]
        self.places = {
            attribute: torch.tensor(
                [
                    known.index(value[attribute])
                    if attributes.is_clear(sample.measured, attribute)
                    else -100
                    for sample, value in zip(batch, values, strict=True)
                ]
            )
            for attribute, known in attributes.VALUES.items()
        }


class Heads(nn.Module):
    """Linear readings of one token: every attribute's value, and the measurements themselves."""

    def __init__(self, width: int, made: list[data.Sample]) -> None:
        super().__init__()
        vectors = np.stack([attributes.as_vector(one.measured) for one in made])
        self.values = nn.ModuleDict(
            {a: nn.Linear(width, len(v)) for a, v in attributes.VALUES.items()}
        )
        self.numbers = nn.Linear(width, vectors.shape[1])
        self.mean = nn.Buffer(torch.from_numpy(vectors.mean(0)))
        self.deviation = nn.Buffer(torch.from_numpy(vectors.std(0)) + 1e-6)

    def loss(self, tokens: torch.Tensor, truth: Truth) -> torch.Tensor:
        """How wrongly the tokens, float32 [batch, width], are read; dead zones are left out."""
        total = functional.smooth_l1_loss(
            self.numbers(tokens), (truth.numbers - self.mean) / self.deviation
        )
        share = 1 / (len(tokens) * len(self.values))
        for attribute, head in self.values.items():
            wanted = truth.places[attribute]
            wrong = functional.cross_entropy(
                head(tokens), wanted, ignore_index=-100, reduction="sum"
            )
            total = total + wrong * share
        return total

    def read(self, tokens: torch.Tensor) -> list[dict[str, str]]:
        """The values read from each token."""
        chosen = {a: head(tokens).argmax(-1).tolist() for a, head in self.values.items()}
        return [{a: attributes.VALUES[a][chosen[a][n]] for a in chosen} for n in range(len(tokens))]


def places(square: Pixels) -> NDArray[np.float32]:
    """What holds at each patch: float32 [patches, 29], each number of the order of 1.

    The colour at the mirrored place, how far it differs from the colour here,
    the direction and strength of edges, the area answering to each name, and
    the chroma each chromatic name brings.
    """
    here = colours.lab(attributes.cells(square, _GRID)) / 30
    mirrored = here[:, ::-1]
    masses = attributes.cells(square, 2 * _GRID)
    names = colours.memberships(masses)
    accents = names[..., _CHROMATIC] * colours.chroma(masses)[..., None] / 30
    parts = (
        mirrored,
        np.abs(here - mirrored),
        _edges(square),
        _by_patch(names),
        _by_patch(accents),
    )
    local: NDArray[np.float32] = np.concatenate(parts, axis=2).reshape(_GRID**2, -1)
    return local.astype(np.float32)


def _edges(square: Pixels) -> NDArray[np.floating]:
    light = colours.lab(attributes.cells(square, 4 * _GRID))[..., 0] / 30
    down, across = np.gradient(light)
    strength = np.hypot(across, down) + 1e-6
    turned = ((across**2 - down**2) / strength, across * down / strength, strength)
    return _by_patch(np.stack(turned, -1)) * 3


def _by_patch(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """Means over the patches: [grid, grid, channels] of a finer grid."""
    finer = values.shape[0] // _GRID
    means: NDArray[np.floating] = values.reshape(_GRID, finer, _GRID, finer, -1).mean((1, 3))
    return means


class Seeing(Learner):
    """The vision tower with heads for the mean of its tokens, for single tokens, for places."""

    def __init__(self, tower: nn.Module, width: int, made: list[data.Sample]) -> None:
        super().__init__()
        self.tower, self.mean, self.single = tower, Heads(width, made), Heads(width, made)
        self.places = nn.Linear(width, places(made[0].square).shape[1])

    def forward(self, squares: list[Pixels]) -> tuple[torch.Tensor, torch.Tensor]:
        """Patch tokens half-way up and at the top: float32 [batch, patches, width] each."""
        seen = self.tower(pixel_values=miniature.pixels(squares), output_hidden_states=True)
        layers: tuple[torch.Tensor, ...] = seen.hidden_states
        return layers[len(layers) // 2][:, 1:], layers[-1][:, 1:]

    def loss(self, batch: list[data.Sample], number: int) -> torch.Tensor:
        """The error of all readings; which single tokens are read depends on the step's number."""
        squares = [one.square for one in batch]
        middle, tokens = self(squares)
        truth, rows = Truth(batch), torch.arange(len(batch))
        local = torch.from_numpy(np.stack([places(square) for square in squares]))
        total = self.mean.loss(tokens.mean(1), truth)
        read = self.places(middle)
        total = total + functional.smooth_l1_loss(read, local, beta=0.1)
        total = total + functional.smooth_l1_loss(read[..., :6], local[..., :6], beta=0.1)
        lots = np.random.default_rng([number, 3]).integers(tokens.shape[1], size=(2, len(batch)))
        for lot in lots:
            single = tokens[rows, torch.from_numpy(lot)]
            total = total + self.single.loss(single, truth) / 2
        return total

    def examine(self, held: list[data.Sample]) -> Mapping[str, Any]:
        """Shares of readings that hold."""
        return {"accuracy": {name: round(share, 3) for name, share in self.accuracy(held).items()}}

    @torch.no_grad()
    def accuracy(self, made: list[data.Sample]) -> dict[str, float]:
        """Share of readings that hold, by attribute, from the mean and from one corner token."""
        tokens = torch.cat(
            [self([s.square for s in made[n : n + 64]])[1] for n in range(0, len(made), 64)]
        )
        return {
            f"{name}{attribute}": float(
                np.mean(
                    [
                        attributes.holds(s.measured, attribute, r[attribute])
                        for s, r in zip(made, read, strict=True)
                    ]
                )
            )
            for name, read in (
                ("", self.mean.read(tokens.mean(1))),
                ("1 ", self.single.read(tokens[:, 0])),
            )
            for attribute in attributes.VALUES
        }
