"""The one directory that holds everything the embedded services keep."""

import json
import os
import secrets
import socket
from pathlib import Path

from predella.embedded.files import private_folder, write_private

LOOPBACK = "127.0.0.1"


class Home:
    """A directory of ours, closed to other accounts.

    Root's may be passed through, not listed, because Postgres refuses to run as root; what
    lies in it is closed itself.
    Its file ``state.json`` remembers what was generated on the first start and must stay
    the same: passwords, and as far as possible ports.
    """

    def __init__(self, path: Path) -> None:
        self.path = private_folder(path.absolute(), passable=os.geteuid() == 0)
        self._state = self.path / "state.json"
        self._values: dict[str, str] = (
            json.loads(self._state.read_text()) if self._state.exists() else {}
        )

    def folder(self, name: str) -> Path:
        """Return a folder in it, made when it is missing."""
        return private_folder(self.path / name)

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
            write_private(self._state, json.dumps(self._values, indent=2) + "\n")
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
