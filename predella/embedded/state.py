"""What was generated on the first start and must stay the same: passwords and ports."""

import json
import secrets
import socket
from pathlib import Path

from predella.embedded.files import write_private

LOOPBACK = "127.0.0.1"


class State:
    """The remembered values of one home, in its file ``state.json``."""

    def __init__(self, home: Path) -> None:
        self._path = home / "state.json"
        self._values: dict[str, str] = (
            json.loads(self._path.read_text()) if self._path.exists() else {}
        )

    def secret(self, name: str) -> str:
        """Return the password of this name, generated when first asked for."""
        return self._values.get(name) or self._remember(name, secrets.token_hex(20))

    def port(self, name: str, *, preferred: int = 0) -> int:
        """Return a port that is free now: the remembered one, the preferred one, or any."""
        key = f"{name}_port"
        port = first_free(int(self._values.get(key, preferred)), 0)
        self._remember(key, str(port))
        return port

    def _remember(self, key: str, value: str) -> str:
        if self._values.get(key) != value:
            self._values[key] = value
            write_private(self._path, json.dumps(self._values, indent=2) + "\n")
        return value


def first_free(*wanted: int, host: str = LOOPBACK) -> int:
    """Return the first of these ports that nobody listens on; 0 stands for any."""
    for port in wanted:
        with socket.socket() as probe:
            # As servers do: a port whose last connections still close is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError(f"none of the ports {wanted} is free on {host}")
