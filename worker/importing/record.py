"""``release.json``: where everything came from, and what lies in the directory."""

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from worker.engine.identity import IMPORT, RELEASE_FILE, libraries, sha256

_TOOLS = ("numpy", "safetensors", "tokenizers", "torch", "transformers")
_LLAMA = "Llama 2 Community License, as its model card says"
_RESEARCH = (
    "its authors' notice: data and checkpoint for research use only, within the terms of LLaMA,"
    " Vicuna and GPT-4"
)
LICENCES = [
    {"part": "the code of GalleryGPT", "terms": "Apache-2.0"},
    {"part": "base: Lin-Chen/ShareGPT4V-7B", "terms": f"{_LLAMA}; {_RESEARCH}"},
    {
        "part": "vision tower: Lin-Chen/ShareGPT4V-7B_Pretrained_vit-large336-l12",
        "terms": f"{_LLAMA}; {_RESEARCH}",
    },
    {
        "part": "adapter: GalleryGPT",
        "terms": "published without terms of its own beside the Apache-2.0 code",
    },
    {
        "part": "training texts: steven16/Painting-Form",
        "terms": "apache-2.0 as tagged there; written by GPT-4 and Gemini, whose terms apply",
    },
]


def described(files: Iterable[Path], digests: Mapping[Path, str]) -> dict[str, object]:
    """Return size and sha256 of each of these files, by name."""
    return {
        file.name: {"bytes": file.stat().st_size, "sha256": digests[file]} for file in sorted(files)
    }


def adapter_sha256(files: Iterable[Path], digests: Mapping[Path, str]) -> str:
    """Return one digest over names and sha256 of the adapter's files."""
    lines = "".join(f"{digests[file]}  {file.name}\n" for file in sorted(files))
    return hashlib.sha256(lines.encode()).hexdigest()


def tools() -> dict[str, str]:
    """Return the versions of what took part."""
    return {"predella": version("predella"), "python": platform.python_version()} | libraries(
        _TOOLS
    )


def write(directory: Path, about: Mapping[str, object], detail: Mapping[str, Any]) -> None:
    """Write the record of a finished directory; ``detail`` gains the digests of its files.

    Digests of files that were hashed while they were written come in ``detail["files"]``.
    """
    known: dict[str, str] = detail["files"]
    files = sorted(file for file in directory.rglob("*") if file.is_file())
    digests = {file: known.get(file.name) or sha256(file) for file in files}
    record = {**about, IMPORT: {**detail, "files": described(files, digests)}}
    text = json.dumps(record, ensure_ascii=False, indent=2) + "\n"
    (directory / RELEASE_FILE).write_text(text, "utf-8")


def recorded(directory: Path) -> dict[str, Any]:
    """Return what :func:`write` put under the key of the import; empty where it did not."""
    record = json.loads((directory / RELEASE_FILE).read_text("utf-8"))
    found: dict[str, Any] = record.get(IMPORT, {})
    return found
