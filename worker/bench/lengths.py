"""How long the texts are: a model with random weights does not know when to end."""

import torch

CAP = 512
"""Where the original stops; no text is longer, and every cache has room for it."""
MEDIAN = 230
_SIGMA = 0.35
_LEAST = 4


def lengths(count: int, *, median: int, seed: int) -> list[int]:
    """Return tokens of each text, log-normal as the lengths of people's paragraphs are."""
    draw = torch.Generator().manual_seed(seed)
    spread = torch.exp(torch.randn(count, generator=draw) * _SIGMA)
    return (spread * median).round().clamp(_LEAST, CAP).long().tolist()
