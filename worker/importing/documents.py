"""The small JSON files that describe the large ones."""

import json
from pathlib import Path
from typing import Any

from worker.importing.errors import ReleaseFileError

_MOST_BYTES = 16 << 20


def read(file: Path) -> dict[str, Any]:
    """Return the object in this file.

    Raises:
        ReleaseFileError: it is missing, or holds something else.
    """
    if not file.is_file():
        raise ReleaseFileError(file, "is missing", "download the whole directory again")
    if file.stat().st_size > _MOST_BYTES:
        raise ReleaseFileError(file, "is far too large for what it is", "download it again")
    try:
        content = json.loads(file.read_text("utf-8"))
    except ValueError as error:
        raise ReleaseFileError(file, f"is not JSON ({error})", "download it again") from error
    if not isinstance(content, dict):
        raise ReleaseFileError(file, "holds no JSON object", "download it again")
    return content


def require(file: Path, content: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Check the fields that change what the model does; what is left out or empty asks for nothing.

    Raises:
        ReleaseFileError: one of them asks for something that we do not do.
    """
    for name, value in wanted.items():
        found = content.get(name, value)
        if found != value and (found or value):
            raise ReleaseFileError(
                file,
                f"{name} is {found!r}, only {value!r} is understood",
                "this is not a release of GalleryGPT's form",
            )


def number(file: Path, content: dict[str, Any], name: str) -> int:
    """Return a whole number that must be there.

    Raises:
        ReleaseFileError: it is not.
    """
    value = content.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ReleaseFileError(file, f"{name} is {value!r}, not a number", "download it again")
    return value
