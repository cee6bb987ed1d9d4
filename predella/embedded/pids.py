"""What the system says about a process id."""

import subprocess
import sys
from pathlib import Path


def birth(pid: int) -> str | None:
    """Return when a process began, in the system's own words; None when it is no more.

    A pid alone proves nothing: the system gives it to somebody else later.
    """
    if sys.platform != "linux":
        return _ask_ps(pid, "lstart")
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]


def program(pid: int) -> str | None:
    """Return the name of the program that a process runs; None when it is no more."""
    if sys.platform != "linux":
        path = _ask_ps(pid, "comm")
        return Path(path).name if path else None
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return None


def _ask_ps(pid: int, column: str) -> str | None:
    found = subprocess.run(
        ["/bin/ps", "-o", f"{column}=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return found.stdout.strip() or None
