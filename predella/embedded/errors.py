from pathlib import Path

from predella.errors import ConflictError, UnavailableError


class AlreadyRunningError(ConflictError):
    """Another ``predella up`` serves this home."""

    def __init__(self, home: Path, *, pid: int, address: str) -> None:
        super().__init__(
            f"predella already runs on {home} (process {pid}): {address}; "
            "use that one, or stop it with `predella down`"
        )
        self.home, self.pid, self.address = home, pid, address


class PortTakenError(ConflictError):
    """Another program listens where we were told to."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(f"port {port} on {host} is taken by another program; choose with --port")
        self.host, self.port = host, port


class NotInstalledError(UnavailableError):
    """A program that we would start is nowhere on this machine."""


class StartError(UnavailableError):
    """A program ended, or stayed silent, before it was ready."""

    def __init__(self, name: str, reason: str, *, log: Path) -> None:
        super().__init__(f"{name} did not start: {reason}; its log is {log}{_last_lines(log)}")
        self.name, self.log = name, log


def _last_lines(log: Path) -> str:
    try:
        lines = log.read_text(errors="replace").splitlines()[-5:]
    except OSError:
        return ""
    return "".join(f"\n  {line}" for line in lines)
