"""Training pictures as the model gets them, with what was measured on them."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from worker.training.demo import attributes, pictures, variation
from worker.training.demo.colours import Floats, Pixels

SIDE = attributes.SIDE
"""Side of the square that the model sees; its content is the thumbnail that is measured."""

PADDING = np.array([122, 116, 104], dtype=np.float32)
"""The mean colour around a picture that is not square, as in production."""

_SHARD = 2000
"""Samples in one file."""

_SQUARE = 0.2
"""Share of pictures that are square; as many again are almost so."""


@dataclass(frozen=True)
class Sample:
    """One picture in its square, and what is true of it."""

    square: Pixels
    """uint8 [48, 48, 3]."""
    measured: attributes.Measured


def make(folder: Path, *, seed: int, count: int) -> list[Path]:
    """Files with this many samples, made where they are missing; the same for the same seed."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for number, first in enumerate(range(0, count, _SHARD)):
        file = folder / f"pictures-{seed}-{number:03}.npz"
        if not file.exists():
            rng = np.random.default_rng([seed, number])
            _write(file, samples(rng, min(_SHARD, count - first)))
        files.append(file)
    return files


def samples(rng: pictures.Rng, count: int) -> list[Sample]:
    """Variations, eight of each picture painted."""
    made: list[Sample] = []
    while len(made) < count:
        base = _half(pictures.paint(rng, 2 * SIDE, 2 * SIDE))
        made += [sample(rng, base) for _ in range(min(8, count - len(made)))]
    return made


def load(files: list[Path]) -> list[Sample]:
    """All samples of the files."""
    return [one for file in files for one in _read(file)]


def sample(rng: pictures.Rng, base: Pixels) -> Sample:
    """A variation of one stock picture, cut to a format drawn by lot."""
    short = SIDE * math.exp(-lengthening(rng))
    rows = 2 * math.ceil(short / 2)
    start = int(rng.integers(SIDE - rows + 1))
    cut = base[start : start + rows]
    if pictures.happens(rng, 0.5):
        cut = variation.vary(rng, cut)
        log_ratio = math.log(SIDE / short)
    else:
        cut = variation.vary(rng, cut.transpose(1, 0, 2))
        log_ratio = math.log(short / SIDE)
    return Sample(frame(cut, short), attributes.measure_thumbnail(cut, log_ratio))


def batch(seed: int, made: list[Sample], size: int, number: int) -> list[Sample]:
    """Batch `number` of a training: it depends on nothing else, so that training can resume.

    Every round of `made` comes in a new order and a new set of mirrorings,
    which leave all that is measured as it is.
    """
    a_round = len(made) // size
    rng = np.random.default_rng([seed, number // a_round])
    order = rng.permutation(len(made))[number % a_round * size :][:size]
    flips = np.random.default_rng([seed, number // a_round, number % a_round])
    return [_flipped(made[i], *(int(n) for n in flips.choice([-1, 1], 2))) for i in order]


def _flipped(one: Sample, down: int, across: int) -> Sample:
    return Sample(one.square[::down, ::across], one.measured)


def _write(file: Path, made: list[Sample]) -> None:
    unfinished = file.with_suffix(".part.npz")
    np.savez(
        unfinished,
        squares=np.stack([one.square for one in made]),
        measured=np.stack([attributes.as_vector(one.measured) for one in made]),
    )
    unfinished.rename(file)


def _read(file: Path) -> Iterator[Sample]:
    with np.load(file) as arrays:
        squares, measured = arrays["squares"], arrays["measured"]
    for square, vector in zip(squares, measured, strict=True):
        yield Sample(square, attributes.from_vector(vector))


def lengthening(rng: pictures.Rng) -> float:
    """Logarithm of the long side over the short one: square, almost so, or clearly not."""
    lot = rng.random()
    if lot < _SQUARE:
        return 0.0
    low, high = (0.0, 0.12) if lot < 2 * _SQUARE else (0.08, 1.0)
    return float(rng.uniform(low, high))


def frame(cut: Pixels, short: float) -> Pixels:
    """The picture in the middle of a padded square, its outermost rows covered in part.

    uint8 [48, 48, 3]. The shorter side is not a whole number of pixels, here as in production.
    """
    height, width = cut.shape[:2]
    square = np.broadcast_to(PADDING, (SIDE, SIDE, 3)).copy()
    top, left = (SIDE - height) // 2, (SIDE - width) // 2
    inside: Floats = cut.astype(np.float32)
    cover = 1 - (min(height, width) - short) / 2
    for edge in (0, -1):
        line = inside[edge] if height < width else inside[:, edge]
        line += (PADDING - line) * (1 - cover)
    square[top : top + height, left : left + width] = inside
    return square.round().astype(np.uint8)


def _half(picture: Pixels) -> Pixels:
    small = Image.fromarray(picture).resize((SIDE, SIDE), Image.Resampling.BOX)
    return np.asarray(small)
