"""Tensors in files: named, measured and checked before one byte of them is read.

A ``.bin`` is a pickle; it is opened by torch's restricted reader alone, which builds tensors
and refuses to call anything else.
"""

import pickle
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import safetensors
import torch

from worker.importing.errors import ReleaseFileError

_LARGEST_OLD_FORM = 2 << 30
"""Bytes of a ``.bin`` from before PyTorch 1.6, which can only be read whole."""
_AGAIN = "download it again and compare its size with the source's"
_DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One tensor in one file."""

    file: Path
    name: str
    shape: tuple[int, ...]
    read: Callable[[], torch.Tensor]


def entries(file: Path) -> dict[str, Entry]:
    """Return the tensors of this file; their numbers stay on disk until they are read.

    Raises:
        ReleaseFileError: the file is missing, cut off, damaged, or holds more than numbers.
    """
    if not file.is_file():
        raise ReleaseFileError(file, "is missing", "download it")
    return _safe(file) if file.suffix == ".safetensors" else _pickled(file)


def _safe(file: Path) -> dict[str, Entry]:
    try:
        opened: Any = safetensors.safe_open(file, "pt")
    except safetensors.SafetensorError as error:
        raise ReleaseFileError(file, f"is cut off or damaged ({error})", _AGAIN) from error
    found = {}
    for name in opened.keys():  # noqa: SIM118  (it is no mapping)
        part = opened.get_slice(name)
        _require_float(file, name, _DTYPES.get(part.get_dtype()))
        found[name] = Entry(file, name, tuple(part.get_shape()), partial(opened.get_tensor, name))
    return found


def _pickled(file: Path) -> dict[str, Entry]:
    content = _unpickled(file)
    if not isinstance(content, dict):
        raise ReleaseFileError(file, "holds no table of tensors", _AGAIN)
    return {name: _entry(file, name, value) for name, value in content.items()}


def _entry(file: Path, name: Any, value: Any) -> Entry:
    if not isinstance(name, str) or not isinstance(value, torch.Tensor):
        raise ReleaseFileError(file, f"{name!r} is not a tensor", _AGAIN)
    _require_float(file, name, value.dtype)
    return Entry(file, name, tuple(value.shape), partial(_itself, value))


def _itself(value: torch.Tensor) -> torch.Tensor:
    return value.detach()


def _unpickled(file: Path) -> Any:
    mapped = zipfile.is_zipfile(file)
    if not mapped:
        _require_old_form(file)
    try:
        return torch.load(file, map_location="cpu", weights_only=True, mmap=mapped)
    except pickle.UnpicklingError as error:
        raise ReleaseFileError(
            file,
            "holds more than numbers: opening it elsewhere could run code",
            "delete it, and download the release from its authors",
        ) from error
    except (RuntimeError, ValueError, EOFError, OSError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ReleaseFileError(file, f"is cut off or damaged ({first})", _AGAIN) from error


def _require_old_form(file: Path) -> None:
    """Tell a file of the old form from one that lost its end, where a zip has its directory."""
    with file.open("rb") as opened:
        start = opened.read(2)
    if start == b"PK" or start[:1] != b"\x80":
        raise ReleaseFileError(file, "is cut off or damaged", _AGAIN)
    if file.stat().st_size > _LARGEST_OLD_FORM:
        raise ReleaseFileError(
            file,
            "has the form from before PyTorch 1.6, which must be read whole",
            "load and save it once with a newer PyTorch, or take the .safetensors",
        )


def _require_float(file: Path, name: str, dtype: torch.dtype | None) -> None:
    if dtype not in _DTYPES.values() and not name.endswith("position_ids"):
        raise ReleaseFileError(
            file,
            f"{name} does not hold plain floating-point numbers",
            "quantised weights do not do",
        )
