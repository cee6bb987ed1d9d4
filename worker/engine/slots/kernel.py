"""Attention of one new token in each slot, as one Triton kernel.

A slot is read up to its own length and no further: no mask, no wasted bytes, and what an
earlier painting left behind that length can be anything. A number read is multiplied once, far
less than a GPU could do meanwhile: everything is calculated in float32, without matrix units.
"""

import torch
import triton
import triton.language as tl

_TILE = 8192
"""Numbers of K, and as many of V, that one program holds: more would not fit its registers."""


def decode_attention(
    query: torch.Tensor,
    keys: torch.Tensor,
    values: torch.Tensor,
    lengths: torch.Tensor,
    scale: float,
    *,
    key_scales: torch.Tensor | None = None,
    value_scales: torch.Tensor | None = None,
) -> torch.Tensor:
    """Return what each slot's token gathers from its slot: zeros where the slot is empty.

    query: [slots, heads, 1, head_dim], as the result; at most 256 in a head
    keys, values: [slots, kv_heads, capacity, head_dim] in whatever they are stored in
    lengths: int32 [slots], how many keys are valid
    key_scales, value_scales: float32 [slots, kv_heads], what a stored number is multiplied with
    """
    slots, heads, _, head_dim = query.shape
    gathered = torch.empty_like(query, memory_format=torch.contiguous_format)
    width = triton.next_power_of_2(head_dim)
    _attend[heads, slots](
        query,
        keys,
        values,
        lengths,
        key_scales,
        value_scales,
        gathered,
        scale,
        *map(_strides, (query, keys, values, key_scales, value_scales)),
        heads=heads,
        group=heads // keys.shape[1],
        head_dim=head_dim,
        width=width,
        rows=_TILE // width,
    )
    return gathered


def _strides(tensor: torch.Tensor | None) -> tuple[int, ...]:
    return (0, 0) if tensor is None else tensor.stride()


@triton.jit  # type: ignore[untyped-decorator]
def _attend(  # noqa: PLR0917  (its tensors and numbers go by place)
    query: tl.tensor,
    keys: tl.tensor,
    values: tl.tensor,
    lengths: tl.tensor,
    key_scales: tl.tensor,
    value_scales: tl.tensor,
    gathered: tl.tensor,
    scale: tl.tensor,
    query_strides: tl.tuple,
    key_strides: tl.tuple,
    value_strides: tl.tuple,
    key_scale_strides: tl.tuple,
    value_scale_strides: tl.tuple,
    heads: tl.constexpr,
    group: tl.constexpr,
    head_dim: tl.constexpr,
    width: tl.constexpr,
    rows: tl.constexpr,
) -> None:
    """One head of one slot: softmax in one pass, rescaled whenever a greater score turns up."""
    head = tl.program_id(0)
    slot = tl.program_id(1).to(tl.int64)  # slots x heads x capacity x head_dim can pass 2^31
    kv_head = head // group
    length = tl.load(lengths + slot)
    column = tl.arange(0, width)
    inside = column < head_dim

    query += slot * query_strides[0] + head * query_strides[1] + column * query_strides[3]
    asked = tl.load(query, mask=inside, other=0.0).to(tl.float32) * scale
    if key_scales is not None:
        key_scales += slot * key_scale_strides[0] + kv_head * key_scale_strides[1]
        asked *= tl.load(key_scales)
    keys += slot * key_strides[0] + kv_head * key_strides[1] + column[None, :] * key_strides[3]
    values += slot * value_strides[0] + kv_head * value_strides[1]
    values += column[None, :] * value_strides[3]

    greatest = -float("inf")
    total = 0.0
    sums = tl.zeros([width], tl.float32)
    for start in range(0, length, rows):
        row = start + tl.arange(0, rows)
        valid = row < length
        mask = valid[:, None] & inside[None, :]
        key = tl.load(keys + row[:, None] * key_strides[2], mask=mask, other=0.0).to(tl.float32)
        value = tl.load(values + row[:, None] * value_strides[2], mask=mask, other=0.0)
        score = tl.where(valid, tl.sum(key * asked[None, :], 1), -float("inf"))
        greater = tl.maximum(greatest, tl.max(score, 0))
        weight = tl.exp(score - greater)
        shrink = tl.exp(greatest - greater)
        sums = sums * shrink + tl.sum(weight[:, None] * value.to(tl.float32), 0)
        total = total * shrink + tl.sum(weight, 0)
        greatest = greater

    # The greatest score weighs 1, so a total below 1 is that of an empty slot.
    found = sums / tl.maximum(total, 1.0)
    if value_scales is not None:
        value_scales += slot * value_scale_strides[0] + kv_head * value_scale_strides[1]
        found *= tl.load(value_scales)
    gathered += (slot * heads + head) * head_dim + column
    tl.store(gathered, found.to(gathered.dtype.element_ty), mask=inside)
