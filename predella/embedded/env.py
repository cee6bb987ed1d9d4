"""The file ``env`` of a home: how other processes find what was started here."""

from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

from predella.embedded.files import write_private


def write_env(path: Path, values: Mapping[str, str]) -> None:
    """Write ``PREDELLA_*`` settings in the form that ``predella.settings`` reads."""
    write_private(path, "".join(f"{name}={_quoted(value)}\n" for name, value in values.items()))


def read_env(path: Path) -> dict[str, str]:
    """Return what such a file says; nothing where there is none."""
    return {name: value or "" for name, value in dotenv_values(path).items()}


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
