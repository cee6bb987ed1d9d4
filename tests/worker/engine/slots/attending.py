"""How far the kernel is from torch's own attention, case by case.

Triton interprets a kernel only where ``TRITON_INTERPRET`` was set before torch was loaded: hence
``python -m tests.worker.engine.slots.attending``, which writes the differences as JSON.
"""

import json
import sys
from dataclasses import dataclass
from typing import NamedTuple

import torch

LENGTHS = (0, 1, 63, 64, 65, 130)
"""Around the edge of a tile of 64 keys, and everything there is room for."""
_CAPACITY = 130


@dataclass(frozen=True, slots=True)
class Case:
    """One way in which a model can ask."""

    query: torch.dtype
    stored: torch.dtype
    bound: float
    """What rounding can explain; values are around 1."""
    heads: int = 2
    kv_heads: int = 2
    head_dim: int = 128
    is_scaled: bool = False
    is_fused: bool = False
    """Heads lie beside each other, each beside something else."""


CASES = {
    "float32": Case(torch.float32, torch.float32, 1e-5),
    "float16": Case(torch.float16, torch.float16, 2e-3),
    "bfloat16": Case(torch.bfloat16, torch.bfloat16, 2e-2),
    "float8 with scales": Case(torch.float16, torch.float8_e4m3fn, 2e-3, is_scaled=True),
    "float8 without scales": Case(torch.float32, torch.float8_e4m3fn, 1e-5),
    "grouped heads": Case(torch.float32, torch.float32, 1e-5, heads=6),
    "one head for all, scaled": Case(
        torch.float32, torch.float8_e4m3fn, 1e-5, heads=4, kv_heads=1, is_scaled=True
    ),
    "heads of 16": Case(torch.float32, torch.float32, 1e-5, head_dim=16),
    "heads of 80": Case(torch.float32, torch.float32, 1e-5, head_dim=80),
    "heads of 96": Case(torch.float16, torch.float16, 2e-3, head_dim=96),
    "heads of 256": Case(torch.float32, torch.float32, 1e-5, head_dim=256),
    "fused": Case(torch.float32, torch.float32, 1e-5, heads=4, is_fused=True),
}


class Asked(NamedTuple):
    """What the kernel is given, in its order."""

    query: torch.Tensor
    keys: torch.Tensor
    values: torch.Tensor
    lengths: torch.Tensor
    scale: float
    key_scales: torch.Tensor | None
    value_scales: torch.Tensor | None


def asked(case: Case, device: str) -> Asked:
    """Return random slots; behind its length each holds nothing but NaN."""
    draw = torch.Generator().manual_seed(0)
    shape = (len(LENGTHS), case.kv_heads, _CAPACITY, case.head_dim)
    lengths = torch.tensor(LENGTHS, dtype=torch.int32)
    behind = torch.arange(_CAPACITY)[None, :] >= lengths[:, None]
    query = torch.randn(len(LENGTHS), case.heads, 1, case.head_dim, generator=draw)
    keys, values = (torch.randn(shape, generator=draw) for _ in range(2))
    scales = 0.5 + torch.rand(2, *shape[:2], generator=draw)
    for stored in (keys, values):
        stored.masked_fill_(behind[:, None, :, None], torch.nan)
    return Asked(
        _laid_out(query.to(case.query), case).to(device),
        _laid_out(keys.to(case.stored), case).to(device),
        _laid_out(values.to(case.stored), case).to(device),
        lengths.to(device),
        case.head_dim**-0.5,
        *(scales.to(device) if case.is_scaled else (None, None)),
    )


def _laid_out(tensor: torch.Tensor, case: Case) -> torch.Tensor:
    if not case.is_fused:
        return tensor
    beside = tensor.transpose(1, 2)
    return torch.cat([beside, beside], -1)[..., : case.head_dim].transpose(1, 2)


def expected(one: Asked) -> torch.Tensor:
    """Return float32 [slots, heads, 1, head_dim], from the valid keys of each slot alone."""
    keys = _meant(one.keys, one.key_scales)
    values = _meant(one.values, one.value_scales)
    result = torch.zeros(one.query.shape)
    for slot, length in enumerate(one.lengths.tolist()):
        if length:
            result[slot] = torch.nn.functional.scaled_dot_product_attention(
                one.query[slot].float().cpu(),
                keys[slot, :, :length],
                values[slot, :, :length],
                enable_gqa=True,
                scale=one.scale,
            )
    return result


def _meant(stored: torch.Tensor, scales: torch.Tensor | None) -> torch.Tensor:
    meant = stored.float().cpu()
    return meant if scales is None else meant * scales.cpu()[:, :, None, None]


def attended(one: Asked) -> torch.Tensor:
    """Return what the kernel makes of it."""
    from worker.engine.slots.kernel import decode_attention

    query, keys, values, lengths, scale, *scales = one
    return decode_attention(
        query, keys, values, lengths, scale, key_scales=scales[0], value_scales=scales[1]
    )


def difference(case: Case, device: str) -> float:
    """Return the largest; NaN where anything but the valid keys was read."""
    one = asked(case, device)
    got = attended(one)
    assert got.dtype == case.query
    return float((got.float().cpu() - expected(one)).abs().amax())


if __name__ == "__main__":
    json.dump({name: difference(case, "cpu") for name, case in CASES.items()}, sys.stdout)
