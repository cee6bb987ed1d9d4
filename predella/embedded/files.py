"""Files and folders that hold secrets, and who may reach them."""

import os
import stat
from pathlib import Path


def private_folder(path: Path, *, passable: bool = False) -> Path:
    """Make a folder that only its owner may list, and return it."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o711 if passable else 0o700)
    return path


def write_private(path: Path, text: str) -> None:
    """Replace a file, at once or not at all; only its owner may read it."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    draft.replace(path)


def open_to_everyone(path: Path) -> bool:
    """Say whether another account may pass through every folder above this path."""
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in path.resolve().parents)
