"""A bag (BagIt, RFC 8493) on this machine, checked before any of it is sent."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from predella.errors import SourceError
from predella.formats import bagit

_SHOWN = 5


def is_bag(folder: Path) -> bool:
    """Say whether a folder declares itself a bag."""
    return (folder / bagit.DECLARATION).is_file()


def files(folder: Path) -> list[Path]:
    """Return every file of a bag whose payload is whole, its own files first.

    Raises:
        BagError: it is not a bag that can be read.
        SourceError: files are missing, changed, or not listed.
    """
    bagit.check_declaration((folder / bagit.DECLARATION).read_bytes())
    own = sorted(path for path in folder.iterdir() if path.is_file())
    algorithm = bagit.algorithm_of([path.name for path in own])
    payload = sorted(path for path in (folder / bagit.PAYLOAD).rglob("*") if path.is_file())
    faults = list(_faults(folder, algorithm, payload))
    if faults:
        shown = "\n".join(f"  {fault}" for fault in faults[:_SHOWN])
        raise SourceError(
            f"the bag {str(folder)!r} is not whole: {len(faults):,} files are at fault:\n{shown}\n"
            "Nothing was uploaded. Copy the bag again, or make it anew."
        )
    return own + payload


def _faults(folder: Path, algorithm: str, payload: list[Path]) -> Iterator[str]:
    listed = set[Path]()
    with (folder / bagit.manifest_name(algorithm)).open("rb") as stream:
        for entry in bagit.entries(stream, algorithm):
            path = folder / entry.path
            listed.add(path)
            if not path.is_file():
                yield f"{entry.path} is missing"
            elif _digest(path, algorithm) != entry.digest:
                yield f"{entry.path} is not the file that was bagged"
    for path in payload:
        if path not in listed:
            yield f"{path.relative_to(folder).as_posix()} is not listed"


def _digest(path: Path, algorithm: str) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).digest()
