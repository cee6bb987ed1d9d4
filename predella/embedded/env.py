"""The file ``env`` of a home: how other processes find what was started here."""

from collections.abc import Mapping
from pathlib import Path

from predella.embedded.files import write_private


def write_env(path: Path, values: Mapping[str, str]) -> None:
    """Write ``PREDELLA_*`` settings in the form that ``predella.settings`` reads."""
    write_private(path, "".join(f"{name}={_quoted(value)}\n" for name, value in values.items()))


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
