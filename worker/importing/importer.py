"""Checking the three parts of a release, and writing them as one."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

import torch

from predella.errors import InvalidError
from worker.engine.identity import sha256, told
from worker.engine.templates import VICUNA_V1
from worker.importing import keys, record, sentencepiece, shards, tokenizer
from worker.importing.adapter import Adapter, Delta, adapter
from worker.importing.config import Shape, shape
from worker.importing.errors import ReleaseFileError
from worker.importing.sentencepiece import Piece
from worker.importing.shards import Planned
from worker.importing.tensors import Entry
from worker.importing.weights import Weights, weights

Advance = Callable[[int], None]
"""Told how many more bytes are done."""
_MARGIN = 64 << 20
"""Bytes for what is not weights."""
_VOCABULARY = "tokenizer.model"


class OutputError(InvalidError):
    """Nothing can be written where it should be."""

    def __init__(self, directory: Path, why: str) -> None:
        super().__init__(f"{directory}: {why}")


@dataclass(frozen=True, slots=True)
class Plan:
    """A release that was found whole: every tensor has its source and its place."""

    shape: Shape
    pieces: list[Piece]
    adapter: Adapter
    tensors: list[Planned]
    sources: dict[str, tuple[Path, ...]]
    """By part: base, vision_tower, adapter."""
    dtype: torch.dtype

    @property
    def bytes_to_read(self) -> int:
        """The size of all source files."""
        files = {file for part in self.sources.values() for file in part}
        return sum(file.stat().st_size for file in files)

    @property
    def bytes_to_write(self) -> int:
        """The size of the weights that will be written."""
        return shards.size(self.tensors, self.dtype)


@dataclass(frozen=True, slots=True)
class Imported:
    """What was written."""

    directory: Path
    name: str
    parameters: int
    bytes: int


def check(base: Path, tower: Path, adapter_dir: Path, *, dtype: str) -> Plan:
    """Read everything but the numbers themselves, and return what would be written.

    Raises:
        ReleaseFileError: something is missing, damaged, unknown, unused or of a wrong shape.
    """
    found = shape(base, tower, adapter_dir, dtype=dtype)
    vocabulary = base / _VOCABULARY
    pieces = sentencepiece.pieces(vocabulary)
    if len(pieces) != found.vocabulary:
        raise ReleaseFileError(
            vocabulary,
            f"has {len(pieces)} tokens, the model {found.vocabulary}",
            "it belongs to another model: download it again",
        )
    lora, of_base, of_tower = adapter(adapter_dir), weights(base), weights(tower)
    kind: torch.dtype = getattr(torch, dtype)
    return Plan(
        shape=found,
        pieces=pieces,
        adapter=lora,
        tensors=_planned(found, _sources(of_base, of_tower, lora), lora, kind),
        sources={
            "base": (*found.files["base"], vocabulary, *of_base.files),
            "vision_tower": (*found.files["vision_tower"], *of_tower.files),
            "adapter": (*found.files["adapter"], *lora.files),
        },
        dtype=kind,
    )


def _sources(base: Weights, tower: Weights, lora: Adapter) -> dict[str, Entry]:
    """Return the source of every tensor, by its new name."""
    found = _renamed(base, keys.of_language_model) | _renamed(tower, keys.of_vision_tower)
    return {**found, **lora.projector}


def _renamed(part: Weights, rename: Callable[[str], str | None]) -> dict[str, Entry]:
    found = {}
    for name, entry in part.entries.items():
        if keys.is_left_out(name):
            continue
        new = rename(name)
        if new is None:
            raise ReleaseFileError(
                entry.file, f"{name} is unknown", "this is not a release of GalleryGPT's form"
            )
        found[new] = entry
    return found


def _planned(
    found: Shape, sources: dict[str, Entry], lora: Adapter, dtype: torch.dtype
) -> list[Planned]:
    wanted = keys.shapes(found.config)
    for name in sorted(sources.keys() - wanted.keys()):
        raise _misfit(sources[name], "has no place in a model of this size")
    deltas = {f"language_model.{name}": delta for name, delta in lora.deltas.items()}
    for name in sorted(deltas.keys() - sources.keys()):
        raise _misfit(deltas[name].up, "changes a weight that the base does not have")
    planned = []
    for name, size in wanted.items():
        if name not in sources:
            raise ReleaseFileError(
                _directory(found, name), f"lacks what becomes {name}", "download it again"
            )
        rows = found.vocabulary if name in keys.VOCABULARY else size[0]
        _check_shape(sources[name], (rows, *size[1:]), deltas.get(name))
        make = partial(_made, sources[name], deltas.get(name), size[0], dtype)
        planned.append(Planned(name, size, make))
    return planned


def _directory(found: Shape, name: str) -> Path:
    part = "vision_tower" if name.startswith("vision_tower.") else "base"
    return found.files[part][0].parent


def _misfit(entry: Entry, why: str) -> ReleaseFileError:
    return ReleaseFileError(
        entry.file,
        f"{entry.name} {why}",
        "the parts belong to different models: compare them with docs/models.md",
    )


def _check_shape(entry: Entry, wanted: tuple[int, ...], delta: Delta | None) -> None:
    if entry.shape != wanted:
        raise _misfit(entry, f"has shape {list(entry.shape)}, not {list(wanted)}")
    if delta is not None and delta.shape != wanted:
        raise _misfit(
            delta.up, f"changes a weight of shape {list(delta.shape)}, not {list(wanted)}"
        )


@torch.inference_mode()
def _made(entry: Entry, delta: Delta | None, rows: int, dtype: torch.dtype) -> torch.Tensor:
    """Return one finished tensor: adapter added in float32, rounded once, padded with zeros."""
    value = entry.read() if delta is None else delta.added_to(entry.read())
    value = value.to(dtype)
    if not bool(value.isfinite().all()):
        raise ReleaseFileError(
            entry.file,
            f"{entry.name} is not finite in {str(dtype).removeprefix('torch.')}",
            "compare the file with its source; if it is whole, import with --dtype bfloat16",
        )
    if len(value) < rows:
        value = torch.cat([value, value.new_zeros(rows - len(value), *value.shape[1:])])
    return value


def write(plan: Plan, out: Path, advance: Advance) -> Imported:
    """Write the release into a new directory, which appears whole or not at all.

    Raises:
        OutputError: the directory is there already, or the disk is too full.
        ReleaseFileError: a weight is not a finite number.
    """
    _check_room(plan, out)
    digests = {}
    for file in {file for part in plan.sources.values() for file in part}:
        digests[file] = sha256(file)
        advance(file.stat().st_size)
    name = _name(plan)
    with _appearing(out) as folder:
        written = shards.write(folder, plan.tensors, plan.dtype, advance)
        _write_small(plan, folder)
        record.write(folder, _about(plan, name, digests), _detail(plan, digests, written))
    return Imported(out, name, _parameters(plan), plan.bytes_to_write)


def _check_room(plan: Plan, out: Path) -> None:
    if out.exists() or out.is_symlink():
        raise OutputError(out, "is there already; name a new directory")
    if not out.parent.is_dir():
        raise OutputError(out.parent, "is not a directory; make it first")
    free = shutil.disk_usage(out.parent).free
    needed = plan.bytes_to_write + _MARGIN
    if free < needed:
        raise OutputError(
            out.parent, f"has {free / 1e9:.1f} GB free, {needed / 1e9:.1f} GB are needed"
        )


@contextmanager
def _appearing(out: Path) -> Iterator[Path]:
    """Yield a directory that gets its name when it is finished, and goes if it never is."""
    folder = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        yield folder
        folder.chmod(0o755)
        folder.rename(out)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write_small(plan: Plan, folder: Path) -> None:
    plan.shape.config.save_pretrained(folder)
    tokenizer.processor(plan.pieces, plan.shape).save_pretrained(folder)
    tokenizer.generation_config(plan.shape).save_pretrained(folder)


def _about(plan: Plan, name: str, digests: dict[Path, str]) -> dict[str, object]:
    return {
        "name": name,
        "template": VICUNA_V1.name,
        "adapter_sha256": record.adapter_sha256(plan.sources["adapter"], digests),
        "notice": None,
        "base_model": told(plan.shape.files["base"][0], "_name_or_path", "_commit_hash"),
    }


def _detail(plan: Plan, digests: dict[Path, str], written: dict[str, str]) -> dict[str, Any]:
    return {
        "dtype": str(plan.dtype).removeprefix("torch."),
        "vocabulary": {"tokens": plan.shape.vocabulary, "rows": plan.shape.rows},
        "adapter": {
            "modules": len(plan.adapter.deltas),
            "rank": plan.adapter.rank,
            "alpha": plan.adapter.alpha,
        },
        "licences": record.LICENCES,
        "tools": record.tools(),
        "sources": {part: record.described(files, digests) for part, files in plan.sources.items()},
        "files": written,
    }


def _name(plan: Plan) -> str:
    billions = _parameters(plan) / 1e9
    return f"GalleryGPT-{billions:.0f}B" if billions >= 1 else f"GalleryGPT-{billions * 1e3:.1f}M"


def _parameters(plan: Plan) -> int:
    return sum(prod(one.shape) for one in plan.tensors)
