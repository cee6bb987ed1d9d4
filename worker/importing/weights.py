"""The weights of one directory, in however many files they lie."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

from worker.importing import documents
from worker.importing.errors import ReleaseFileError
from worker.importing.tensors import Entry, entries

_FORMS = (
    ("model.safetensors.index.json", "model.safetensors"),
    ("pytorch_model.bin.index.json", "pytorch_model.bin"),
)


@dataclass(frozen=True, slots=True)
class Weights:
    """Every tensor of a directory, and the files that were needed to find it."""

    directory: Path
    files: tuple[Path, ...]
    entries: Mapping[str, Entry]


def weights(directory: Path) -> Weights:
    """Return the weights, preferably those in safetensors.

    Raises:
        ReleaseFileError: a file is missing or wrong, or the index does not fit.
    """
    for index, single in _FORMS:
        if (directory / index).is_file():
            return _sharded(directory, directory / index)
        if (directory / single).is_file():
            return one_file(directory / single)
    shards = sorted(directory.glob("*-of-*.safetensors")) or sorted(directory.glob("*-of-*.bin"))
    if shards:
        raise ReleaseFileError(
            directory, f"has {shards[0].name} but no index", "download the .index.json too"
        )
    raise ReleaseFileError(
        directory,
        f"holds neither {' nor '.join(single for _, single in _FORMS)}, whole or in shards",
        "name the directory into which the weights were downloaded",
    )


def one_file(file: Path) -> Weights:
    """Return the weights of a single file."""
    return Weights(file.parent, (file,), entries(file))


def _sharded(directory: Path, index: Path) -> Weights:
    places = documents.read(index).get("weight_map")
    if not isinstance(places, dict) or not places:
        raise ReleaseFileError(index, "has no weight_map", "download it again")
    names = sorted({_inside(index, name) for name in places.values()})
    missing = [name for name in names if not (directory / name).is_file()]
    if missing:
        raise ReleaseFileError(
            directory / missing[0],
            f"is missing; it is one of {len(names)} files of the weights",
            "download it",
        )
    found: dict[str, Entry] = {}
    for name in names:
        listed = {key for key, place in places.items() if place == name}
        inside = entries(directory / name)
        _compare(directory / name, listed, set(inside))
        found |= inside
    return Weights(directory, (index, *(directory / name for name in names)), found)


def _inside(index: Path, name: object) -> str:
    """Return the name of a file beside the index; a name may not lead anywhere else."""
    if isinstance(name, str) and name not in {"", ".", ".."}:
        plain = PurePosixPath(name).name == name == PureWindowsPath(name).name
        if plain and name.endswith((".bin", ".safetensors")):
            return name
    raise ReleaseFileError(
        index,
        f"names {name!r}, which is not a file of weights in this directory",
        "do not use it: download the release from its authors",
    )


def _compare(file: Path, listed: set[str], inside: set[str]) -> None:
    if listed != inside:
        example = min(listed ^ inside)
        raise ReleaseFileError(
            file,
            f"and its index do not belong together: {example} is only in one of them",
            "download both again",
        )
