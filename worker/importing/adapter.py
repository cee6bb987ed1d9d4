"""The LoRA adapter, and how it is added to the weights that it was trained on."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from worker.importing import documents, keys
from worker.importing.errors import ReleaseFileError
from worker.importing.tensors import Entry
from worker.importing.weights import Weights, one_file

CONFIG = "adapter_config.json"
TRAINED_BESIDE = "non_lora_trainables.bin"
_KEY = re.compile(r"base_model\.model\.(.+)\.lora_(A|B)(?:\.default)?\.weight")
_NOT_GALLERY = "this is not an adapter of GalleryGPT's form"


@dataclass(frozen=True, slots=True)
class Delta:
    """What is added to one weight: ``scale * up @ down``."""

    down: Entry
    up: Entry
    scale: float

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the weight."""
        return self.up.shape[0], self.down.shape[1]

    def added_to(self, weight: torch.Tensor) -> torch.Tensor:
        """Return the sum, in float32 throughout: it is rounded once, by who writes it."""
        return weight.float().addmm(
            self.up.read().float(), self.down.read().float(), alpha=self.scale
        )


@dataclass(frozen=True, slots=True)
class Adapter:
    """Everything that the training of GalleryGPT changed."""

    files: tuple[Path, ...]
    deltas: Mapping[str, Delta]
    """By the name that the weight has in the base."""
    projector: Mapping[str, Entry]
    """By new names; it was trained whole and replaces that of the base."""
    rank: int
    alpha: int


def adapter(directory: Path) -> Adapter:
    """Return the adapter in this directory, whichever way it was saved.

    Raises:
        ReleaseFileError: a file is missing or wrong, or asks for what we do not do.
    """
    config_file = directory / CONFIG
    _require_adapter(config_file)
    config = documents.read(config_file)
    documents.require(
        config_file,
        config,
        {
            "peft_type": "LORA",
            "bias": "none",
            "modules_to_save": None,
            "use_dora": False,
            "fan_in_fan_out": False,
            "layers_to_transform": None,
            "layer_replication": None,
        },
    )
    parts = _weights(directory)
    trained = one_file(directory / TRAINED_BESIDE)
    return Adapter(
        files=(config_file, *parts.files, *trained.files),
        deltas=_deltas(parts, config_file, config),
        projector=_projector(trained),
        rank=documents.number(config_file, config, "r"),
        alpha=documents.number(config_file, config, "lora_alpha"),
    )


def _require_adapter(config_file: Path) -> None:
    if config_file.is_file():
        return
    saved = sorted(config_file.parent.glob("checkpoint-*"))
    remedy = f"did you mean {saved[-1]}?" if saved else "name the directory of the adapter"
    raise ReleaseFileError(config_file, "is missing", remedy)


def _weights(directory: Path) -> Weights:
    for name in ("adapter_model.safetensors", "adapter_model.bin"):
        if (directory / name).is_file():
            return one_file(directory / name)
    raise ReleaseFileError(
        directory / "adapter_model.safetensors",
        "is missing, and so is adapter_model.bin",
        "download the adapter again",
    )


def _projector(trained: Weights) -> dict[str, Entry]:
    (file,) = trained.files
    names = keys.of_trained_projector(frozenset(trained.entries))
    found = {names[name]: entry for name, entry in trained.entries.items()}
    if "" in found:
        raise ReleaseFileError(file, f"{found[''].name} is unknown", _NOT_GALLERY)
    if len(found) != len(keys.PROJECTOR):
        raise ReleaseFileError(file, "holds only part of the projector", "download it again")
    return found


def _deltas(parts: Weights, config_file: Path, config: dict[str, Any]) -> dict[str, Delta]:
    (file,) = parts.files
    pairs: dict[str, dict[str, Entry]] = {}
    for name, entry in parts.entries.items():
        match = _KEY.fullmatch(name)
        if match is None:
            raise ReleaseFileError(file, f"{name} is unknown", _NOT_GALLERY)
        pairs.setdefault(match[1], {})[match[2]] = entry
    if not pairs:
        raise ReleaseFileError(file, "holds no adapter", "download it again")
    return {
        f"{module}.weight": _delta(module, pair, config_file, config)
        for module, pair in pairs.items()
    }


def _delta(module: str, pair: dict[str, Entry], config_file: Path, config: dict[str, Any]) -> Delta:
    one = next(iter(pair.values()))
    if len(pair) != len("AB"):
        raise ReleaseFileError(one.file, f"{module} has only half an adapter", "download it again")
    rank = _chosen(config, "rank_pattern", module, documents.number(config_file, config, "r"))
    alpha = _chosen(
        config, "alpha_pattern", module, documents.number(config_file, config, "lora_alpha")
    )
    down, up = pair["A"], pair["B"]
    if len(down.shape) + len(up.shape) != 4 or down.shape[0] != rank or up.shape[1] != rank:  # noqa: PLR2004  (two matrices)
        raise ReleaseFileError(
            one.file,
            f"{module} has shapes {list(down.shape)} and {list(up.shape)}, rank is {rank}",
            f"it and {CONFIG} do not belong together: download both again",
        )
    return Delta(down, up, alpha / (math.sqrt(rank) if config.get("use_rslora") else rank))


def _chosen(config: dict[str, Any], pattern: str, module: str, default: int) -> int:
    """Return the value for this module, by the rules of PEFT's patterns."""
    for name, value in (config.get(pattern) or {}).items():
        if re.fullmatch(rf"(.*\.)?({name})", module):
            return int(value)
    return default
