import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

import httpx2

from predella.embedded.home import first_free


@contextmanager
def serving(log: Path, port: int = 0) -> Iterator[str]:
    """Run the API as a process of its own; yield its address."""
    port = port or first_free(0)
    command = [sys.executable, "-m", "api", "--port", str(port), "--grace", "1"]
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
        try:
            _wait_for(f"http://127.0.0.1:{port}/livez", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)


def _wait_for(address: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None
        try:
            if httpx2.get(address).status_code == HTTPStatus.OK:
                return
        except httpx2.TransportError:
            time.sleep(0.1)
    raise TimeoutError(address)
