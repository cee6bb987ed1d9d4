"""Writing safetensors one tensor at a time: no more than one is ever in memory.

The form is that of https://github.com/huggingface/safetensors: the length of a JSON header,
the header, the numbers. All shapes are known before, so the header is.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path

import torch

_LARGEST = 4_000_000_000
"""Bytes of one file."""
_NAMES = {torch.float16: "F16", torch.bfloat16: "BF16", torch.float32: "F32"}
INDEX = "model.safetensors.index.json"


@dataclass(frozen=True, slots=True)
class Planned:
    """One tensor that will be written."""

    name: str
    shape: tuple[int, ...]
    make: Callable[[], torch.Tensor]


def size(planned: Iterable[Planned], dtype: torch.dtype) -> int:
    """Return the bytes that these tensors take."""
    return sum(prod(one.shape) for one in planned) * dtype.itemsize


def write(
    directory: Path,
    planned: Iterable[Planned],
    dtype: torch.dtype,
    advance: Callable[[int], None],
    *,
    largest: int = _LARGEST,
) -> dict[str, str]:
    """Write the tensors and their index; return the sha256 of each file of weights."""
    parts = _parts(planned, dtype, largest)
    digests: dict[str, str] = {}
    places: dict[str, str] = {}
    total = 0
    for number, part in enumerate(parts, 1):
        name = f"model-{number:05d}-of-{len(parts):05d}.safetensors"
        digests[name] = _write_one(directory / name, part, dtype, advance)
        places |= dict.fromkeys((one.name for one in part), name)
        total += size(part, dtype)
    index: Mapping[str, object] = {
        "metadata": {"total_size": total},
        "weight_map": dict(sorted(places.items())),
    }
    (directory / INDEX).write_text(json.dumps(index, indent=1) + "\n")
    return digests


def _parts(planned: Iterable[Planned], dtype: torch.dtype, largest: int) -> list[list[Planned]]:
    parts: list[list[Planned]] = [[]]
    for one in planned:
        if parts[-1] and size([*parts[-1], one], dtype) > largest:
            parts.append([])
        parts[-1].append(one)
    return parts


def _write_one(
    file: Path, part: list[Planned], dtype: torch.dtype, advance: Callable[[int], None]
) -> str:
    digest = hashlib.sha256()
    with file.open("xb") as out:
        header = _header(part, dtype)
        digest.update(header)
        out.write(header)
        for one in part:
            numbers = one.make().contiguous().view(-1).view(torch.uint8).numpy().data
            digest.update(numbers)
            out.write(numbers)
            advance(len(numbers))
        out.flush()
        os.fsync(out.fileno())
    return digest.hexdigest()


def _header(part: list[Planned], dtype: torch.dtype) -> bytes:
    table: dict[str, object] = {"__metadata__": {"format": "pt"}}
    start = 0
    for one in part:
        end = start + size([one], dtype)
        table[one.name] = {
            "dtype": _NAMES[dtype],
            "shape": one.shape,
            "data_offsets": [start, end],
        }
        start = end
    text = json.dumps(table, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text
