"""A LoRA adapter, as PEFT saves it, added to the weights of a model in memory.

Merged by exact names and in float32. Nothing of an adapter is ever left out in silence: PEFT
itself loads one whose names fit nothing, and changes nothing.
"""

import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from worker.engine import identity
from worker.engine.errors import AdapterError

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
_KEY = re.compile(r"base_model\.model\.(.+)\.lora_([AB])\.weight")
_REQUIRED: Mapping[str, tuple[object, ...]] = {
    "peft_type": ("LORA",),
    "bias": ("none",),
    "init_lora_weights": (True, False, "gaussian", "eva"),
}
"""What may be asked for; other beginnings, as pissa, change the weights below the adapter too."""
_USED = {*_REQUIRED, "r", "lora_alpha", "use_rslora", "rank_pattern", "alpha_pattern"}
_OF_TRAINING = {
    *("task_type", "auto_mapping", "base_model_name_or_path", "revision", "peft_version"),
    *("inference_mode", "target_modules", "exclude_modules", "layers_to_transform"),
    *("layers_pattern", "lora_dropout", "eva_config", "megatron_core", "qalora_group_size"),
}
"""What says how the adapter was made, and nothing of how it is added."""
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class _Delta:
    down: torch.Tensor
    up: torch.Tensor
    scale: float

    def added_to(self, weight: torch.Tensor) -> torch.Tensor:
        """Return the sum, rounded once."""
        whole = weight.float().addmm(self.up.float(), self.down.float(), alpha=self.scale)
        return whole.to(weight.dtype)


def merge(model: Any, directory: Path) -> str:
    """Add the adapter in this directory to a model, and return its sha256 in hexadecimal.

    Raises:
        AdapterError: it asks for what we do not do, or does not fit this model to the last
            of its tensors.
    """
    config = _config(directory)
    deltas = dict(_deltas(directory, config))
    _check_effect(directory, deltas)
    weights = _weights(directory, model, deltas)
    with torch.no_grad():
        for name, delta in deltas.items():
            weights[name].copy_(delta.added_to(weights[name]))
    return _sha256(directory)


def _config(directory: Path) -> dict[str, Any]:
    try:
        config = json.loads((directory / CONFIG).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise AdapterError(directory, f"{CONFIG} cannot be read: {error}") from error
    for name, allowed in _REQUIRED.items():
        if config.get(name, allowed[0]) not in allowed:
            raise _unsupported(directory, name, config[name])
    for name in sorted(config.keys() - _USED - _OF_TRAINING):
        if config[name]:
            raise _unsupported(directory, name, config[name])
    return dict(config)


def _unsupported(directory: Path, name: str, value: object) -> AdapterError:
    return AdapterError(
        directory,
        f"it has {name}={value!r}, which is not served; merge it into the model with"
        " PEFT (merge_and_unload, save_pretrained) and serve the result",
    )


def _deltas(directory: Path, config: Mapping[str, Any]) -> Iterator[tuple[str, _Delta]]:
    pairs: dict[str, dict[str, torch.Tensor]] = {}
    for key, tensor in _tensors(directory).items():
        match = _KEY.fullmatch(key)
        if match is None:
            raise AdapterError(directory, f"{WEIGHTS} holds {key}, which is no part of a LoRA")
        pairs.setdefault(match[1], {})[match[2]] = tensor
    for module, pair in pairs.items():
        if pair.keys() != {"A", "B"}:
            raise AdapterError(directory, f"{WEIGHTS} has only half an adapter for {module}")
        yield module, _delta(directory, config, module, pair["A"], pair["B"])


def _tensors(directory: Path) -> dict[str, torch.Tensor]:
    if not (directory / WEIGHTS).is_file():
        raise AdapterError(directory, f"there is no {WEIGHTS} in it; other forms can run code")
    try:
        return load_file(directory / WEIGHTS)
    except (OSError, SafetensorError) as error:
        raise AdapterError(directory, f"{WEIGHTS} is damaged: {error}") from error


def _delta(
    directory: Path, config: Mapping[str, Any], module: str, down: torch.Tensor, up: torch.Tensor
) -> _Delta:
    rank = _chosen(config, "rank_pattern", module, config.get("r"))
    alpha = _chosen(config, "alpha_pattern", module, config.get("lora_alpha"))
    if not down.ndim == up.ndim == 2 or not down.shape[0] == up.shape[1] == rank:  # noqa: PLR2004  (matrices)
        shapes = f"{list(down.shape)} and {list(up.shape)}"
        why = f"{module} has shapes {shapes} in {WEIGHTS}, but rank {rank} in {CONFIG}"
        raise AdapterError(directory, why)
    if not isinstance(alpha, int | float):
        raise AdapterError(directory, f"{CONFIG} has no lora_alpha for {module}")
    return _Delta(down, up, alpha / (math.sqrt(rank) if config.get("use_rslora") else rank))


def _chosen(config: Mapping[str, Any], pattern: str, module: str, default: Any) -> Any:
    """Return the value for this module, by the rules of PEFT's patterns."""
    for name, value in (config.get(pattern) or {}).items():
        if re.fullmatch(rf"(.*\.)?({name})", module):
            return value
    return default


def _check_effect(directory: Path, deltas: Mapping[str, _Delta]) -> None:
    if not any(delta.up.any() and delta.down.any() for delta in deltas.values()):
        raise AdapterError(directory, "it changes nothing; was it ever trained?")
    for name, delta in deltas.items():
        if not (delta.up.isfinite().all() and delta.down.isfinite().all()):
            raise AdapterError(directory, f"it is not finite in {name}")


def _weights(directory: Path, model: Any, deltas: Mapping[str, _Delta]) -> dict[str, torch.Tensor]:
    """Return the one weight that each part of the adapter is for."""
    linear = {
        name: module.weight
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear)
    }
    _check_all(directory, deltas, linear)
    shared = _shared(model)
    for name, delta in deltas.items():
        shape = (delta.up.shape[0], delta.down.shape[1])
        if linear[name].shape != shape:
            found = f"{list(shape)}, the model's weight is {list(linear[name].shape)}"
            raise AdapterError(directory, f"what it has for {name} makes {found}")
        if id(linear[name]) in shared:
            why = f"it changes {name}, whose weight the model uses elsewhere too"
            raise AdapterError(directory, why)
    return linear


def _check_all(
    directory: Path, deltas: Mapping[str, _Delta], linear: Mapping[str, torch.Tensor]
) -> None:
    missing = sorted(deltas.keys() - linear.keys())
    if missing:
        some = ", ".join(missing[:_SHOWN]) + (", ..." if len(missing) > _SHOWN else "")
        example = next(iter(linear), "nothing")
        raise AdapterError(
            directory,
            f"{len(missing)} of the {len(deltas)} modules that it is for are not in this model:"
            f" {some}; here they are called as {example}. Serve the model that it was trained on,"
            " or bring a release of GalleryGPT in with predella-model import",
        )


def _shared(model: Any) -> set[int]:
    """Return which parameters the model has under more than one name."""
    seen: dict[int, int] = {}
    for _, weight in model.named_parameters(remove_duplicate=False):
        seen[id(weight)] = seen.get(id(weight), 0) + 1
    return {one for one, times in seen.items() if times > 1}


def _sha256(directory: Path) -> str:
    lines = (f"{identity.sha256(directory / name)}  {name}\n" for name in (CONFIG, WEIGHTS))
    return hashlib.sha256("".join(lines).encode()).hexdigest()
