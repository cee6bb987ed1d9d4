"""The least time that a run can take: what must be calculated and read, and how fast that goes.

Reading a prompt is bound by calculation; writing is bound by reading all weights once a step,
and the keys and values of every token before. The two do not overlap here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from worker.bench.meter import Meter
from worker.bench.models import PATCHES, PROMPT, Size

_PATCH_NUMBERS = 3 * 14 * 14


@dataclass(frozen=True, slots=True)
class Ceilings:
    """What this machine reaches with nothing else to do."""

    copied: float
    """Bytes read and bytes written, a second."""
    calculated: float
    """Multiplications and additions of a matrix product, a second."""


@dataclass(frozen=True, slots=True)
class Stored:
    """Bytes of one number."""

    weight: int
    cached: int


def weights(size: Size) -> int:
    """Return how many the language model multiplies each token with."""
    layer = 4 * size.width**2 + 3 * size.width * size.inner
    return size.layers * layer + size.width * size.vocabulary


def cached(size: Size) -> int:
    """Return how many numbers are kept of each token: its keys and its values."""
    return 2 * size.layers * size.width


def prompt_operations(size: Size) -> int:
    """Return what reading one prompt takes; only its last token is asked for a word."""
    head = size.width * size.vocabulary
    products = 2 * (weights(size) - head) * PROMPT + 2 * head
    pairs = PROMPT * (PROMPT + 1) // 2
    return products + 4 * size.width * size.layers * pairs


def picture_operations(size: Size) -> int:
    """Return what looking at one picture takes: the vision tower, then the projector."""
    width, tokens = size.vision_width, PATCHES + 1
    layer = 2 * (4 * width**2 + 2 * width * 4 * width) * tokens + 4 * tokens**2 * width
    projector = 2 * (width * size.width + size.width**2) * PATCHES
    return size.vision_layers * layer + 2 * _PATCH_NUMBERS * width * PATCHES + projector


def least_seconds(
    size: Size, lengths: Sequence[int], *, width: int, stored: Stored, ceilings: Ceilings
) -> float:
    """Return how long these texts take where every one of `width` slots always has one."""
    reading = len(lengths) * (prompt_operations(size) + picture_operations(size))
    steps = sum(length - 1 for length in lengths) / width
    step = max(
        weights(size) * stored.weight / ceilings.copied,
        2 * weights(size) * width / ceilings.calculated,
    )
    before = sum(sum(range(PROMPT + 1, PROMPT + length)) for length in lengths)
    looking_back = before * cached(size) * stored.cached / ceilings.copied
    return reading / ceilings.calculated + steps * step + looking_back


_REPEATS, _TRIES = 4, 3


def measure(device: str, dtype: torch.dtype) -> Ceilings:
    """Return the ceilings of this device, in this type of number."""
    meter, is_cuda = Meter(device), device.startswith("cuda")
    numbers = (2**30 if is_cuda else 2**28) // dtype.itemsize
    side = 8192 if is_cuda else 1536
    source, target = (torch.zeros(numbers, device=device, dtype=dtype) for _ in range(2))
    one, other = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
    copying = _fastest(meter, lambda: target.copy_(source))
    multiplying = _fastest(meter, lambda: one @ other)
    return Ceilings(2 * numbers * dtype.itemsize / copying, 2 * side**3 / multiplying)


def _fastest(meter: Meter, work: Callable[[], object]) -> float:
    """Return the seconds of one of several in a row, the best of a few tries."""
    work()
    seconds = []
    for _ in range(_TRIES):
        with meter.measured() as spent:
            for _ in range(_REPEATS):
                work()
        seconds.append(spent.seconds / _REPEATS)
    return min(seconds)
