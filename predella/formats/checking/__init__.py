"""What a catalog would stumble over in a file: our own checks of every format that we write.

They need no schema of anybody: a file is well-formed, has its required parts, tells who wrote
each text, names each record once, and its dates and rights statements are of the right form.
With a folder of the official schemas, these have their say, too.
"""

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

from predella.errors import InvalidError
from predella.formats.checking import documents, tables, trees
from predella.formats.checking.official import Schemas
from predella.formats.checking.problem import Names, Problem
from predella.formats.profiles import Profile

__all__ = ["Problem", "Schemas", "UnknownFileError", "check"]

_MAX_MEMBER = 50_000_000


class UnknownFileError(InvalidError):
    """The name of a file does not tell what is in it."""

    def __init__(self, path: Path) -> None:
        known = ", ".join(sorted(_CHECKS))
        super().__init__(
            f"{path.name!r} is no file that we write: its name ends in none of {known}"
        )
        self.path = path


def check(
    path: Path, *, profile: Profile | None = None, schemas: Schemas | None = None
) -> Iterator[Problem]:
    """Yield what is wrong in a file, in its order; nothing when all is well.

    Of a file of any size one record is in memory, and the names of all; only training records,
    which are one array, are read as a whole. ``profile`` is of a CSV file that is not ours.

    Raises:
        UnknownFileError: its name ends in no suffix of ours.
    """
    if path.suffix not in _CHECKS:
        raise UnknownFileError(path)
    return _CHECKS[path.suffix](path, profile, schemas)


def _xml(path: Path, _profile: Profile | None, schemas: Schemas | None) -> Iterator[Problem]:
    with path.open("rb") as file:
        yield from trees.check(file, schemas.record if schemas else lambda _record: iter(()))
        if schemas and trees.is_reply(file):
            file.seek(0)
            yield from (Problem("reply", sentence) for sentence in schemas.reply(file))


def _csv(path: Path, profile: Profile | None, schemas: Schemas | None) -> Iterator[Problem]:
    with path.open("rb") as file:
        yield from tables.check(file, profile, schemas)


def _jsonl(path: Path, _profile: Profile | None, _schemas: Schemas | None) -> Iterator[Problem]:
    with path.open("rb") as file:
        yield from documents.check_lines(file)


def _json(path: Path, _profile: Profile | None, schemas: Schemas | None) -> Iterator[Problem]:
    with path.open("rb") as file:
        if file.read(1) == b"{":
            file.seek(0)
            yield from _document(path.name, file.read(), Names(), schemas)
        else:
            file.seek(0)
            yield from documents.check_training(file)


def _tar(path: Path, _profile: Profile | None, schemas: Schemas | None) -> Iterator[Problem]:
    names, paths = Names(), Names()
    try:
        with tarfile.open(path, "r|") as archive:
            for member in archive:
                yield from paths.take(member.name, member.name)
                yield from _member(archive, member, names, schemas)
    except tarfile.TarError as error:
        yield Problem("archive", f"it cannot be read: {error}")


def _member(
    archive: tarfile.TarFile, member: tarfile.TarInfo, names: Names, schemas: Schemas | None
) -> Iterator[Problem]:
    file = archive.extractfile(member)
    if file is None or member.size > _MAX_MEMBER:
        yield Problem(member.name, "it is no file, or too large for one record")
    elif member.name.endswith(".xmp"):
        yield from trees.check_sidecar(member.name, file.read())
    else:
        yield from _document(member.name, file.read(), names, schemas)


def _document(place: str, data: bytes, names: Names, schemas: Schemas | None) -> Iterator[Problem]:
    found = list(documents.check_document(place, data, names))
    yield from found
    if schemas and not found:
        sentences = schemas.document(json.loads(data))
        yield from (Problem(place, sentence) for sentence in sentences)


_CHECKS = {".csv": _csv, ".json": _json, ".jsonl": _jsonl, ".tar": _tar, ".xml": _xml}
