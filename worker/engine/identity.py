"""Which files, code and libraries a text comes from."""

import hashlib
import json
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from worker.engine.errors import CheckpointError

RELEASE_FILE = "release.json"
IMPORT = "import"
"""Key in it of where everything came from; see ``worker.importing``."""
_PLAIN = re.compile(r"\w[\w.@-]{0,199}")
_PUBLISHED = re.compile(r"\w[\w.-]{0,99}/\w[\w.@-]{0,199}")
"""Owner and name, as on the hub."""
_READERS = 4
"""Hashing leaves the interpreter lock: four files at once keep a fast disk busy."""


@dataclass(frozen=True, slots=True)
class About:
    """What a checkpoint says of itself in ``release.json``; all of it may be missing."""

    name: str
    template: str
    """Name of the conversation in its chat template."""
    adapter_sha256: str | None = None
    notice: str | None = None
    base_model: str | None = None


def about(directory: Path) -> About:
    """Return what the checkpoint says of itself, or what its directory is called.

    Raises:
        CheckpointError: ``release.json`` is there but is not what it should be.
    """
    default = {"name": directory.resolve().name, "template": "of the checkpoint"}
    path = directory / RELEASE_FILE
    if not path.is_file():
        return About(**default)
    try:
        said = {**default, **json.loads(path.read_text("utf-8"))}
        said.pop(IMPORT, None)
        return About(**said)
    except (ValueError, TypeError) as error:
        raise CheckpointError(directory, f"{RELEASE_FILE} is not understood: {error}") from error


def base_model(directory: Path, adapter: Path | None) -> str | None:
    """Return what the adapter, else the checkpoint, says that it was made from.

    It is ``name``, or ``name@revision`` where a revision is told; None where nothing is.
    """
    if adapter is not None:
        return told(adapter / "adapter_config.json", "base_model_name_or_path", "revision")
    own = about(directory).base_model
    return own or told(directory / "config.json", "_name_or_path", "_commit_hash")


def told(file: Path, name: str, revision: str) -> str | None:
    """Return a model and its revision, from these two keys of a file that tells of them.

    Of a path on somebody's machine only its end is kept: this goes out with every text.
    """
    try:
        said = json.loads(file.read_text("utf-8"))
        model, at = str(said.get(name) or ""), said.get(revision)
    except (OSError, ValueError, AttributeError):
        return None
    if not _PUBLISHED.fullmatch(model):
        model = re.split(r"[/\\]", model.rstrip("/\\"))[-1]
    whole = f"{model}@{at}" if model and at else model
    return whole if _PUBLISHED.fullmatch(whole) or _PLAIN.fullmatch(whole) else None


def weights_sha256(directory: Path) -> str:
    """Return one digest over the names and the sha256 of all files, in hexadecimal.

    The bytes are read every time: a cached answer would be about files that were there once.
    """
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    with ThreadPoolExecutor(_READERS) as readers:
        digests = list(readers.map(sha256, files))
    names = (path.relative_to(directory).as_posix() for path in files)
    lines = (f"{digest}  {name}\n" for digest, name in zip(digests, names, strict=True))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def code_version() -> str:
    """Return the version of predella, and a digest of the engine's own source."""
    sources = sorted(Path(__file__).parent.rglob("*.py"))
    digest = hashlib.sha256(b"\0".join(path.read_bytes() for path in sources))
    return f"{version('predella')}+engine.{digest.hexdigest()[:12]}"


def libraries(names: Iterable[str]) -> dict[str, str]:
    """Return the installed versions of these distributions."""
    return {name: version(name) for name in sorted(names)}


def sha256(path: Path) -> str:
    """Return the digest of one file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
