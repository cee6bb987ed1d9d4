"""A process of its own for strangers' bytes, which a hostile or enormous file may kill."""

import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from threading import Lock
from time import monotonic
from typing import Any, Self

from predella.confined import wire
from predella.errors import UnavailableError

_SECONDS_TO_START = 60
_SECONDS_TO_DIE = 5


class DiedError(Exception):
    """The process ended instead of answering; ``status`` is negative for a signal."""

    def __init__(self, status: int) -> None:
        super().__init__(f"it ended with status {status}")
        self.status = status


class DefectError(UnavailableError):
    """The process goes on, and has failed at this question by a fault of ours."""


class Confined:
    """One process that serves a module, started when first needed and replaced when it dies.

    A plain subprocess, because Celery's worker processes are daemonic and may not have children
    of ``multiprocessing``. Calls from several threads take turns.
    """

    def __init__(self, module: str, *, environment: Mapping[str, str] | None = None) -> None:
        self._module = module
        self._environment = environment or {}
        self._turn = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._wire: socket.socket | None = None

    def ask(
        self,
        head: Mapping[str, Any],
        *parts: bytes,
        files: Sequence[int] = (),
        seconds: float,
    ) -> tuple[dict[str, Any], list[bytes]]:
        """Return the answer to this message, for which ``files`` are open in the process, too.

        Raises:
            TimeoutError: it took longer than this; the process is ended.
            MemoryError: the process had too little; it is replaced.
            DiedError: the process is gone.
            UnavailableError: it could not be started.
            DefectError: it failed at this question, by a fault of ours.
        """
        with self._turn:
            process, connection = self._running()
            try:
                wire.send(connection, {**head, "files": len(files)}, *parts)
                if files:
                    socket.send_fds(connection, [b"\0"], list(files))
                answer, more = wire.receive(connection, until=monotonic() + seconds)
            except TimeoutError:
                self.close()
                raise
            except (wire.BrokenWireError, OSError) as error:
                raise DiedError(self._end_of(process)) from error
            if "out_of_memory" in answer:
                self.close()
                raise MemoryError
        if "defect" in answer:
            raise DefectError(f"{self._module} has a defect: {answer['defect']}")
        return answer, more

    def _running(self) -> tuple[subprocess.Popen[bytes], socket.socket]:
        if self._process is None or self._wire is None or self._process.poll() is not None:
            self.close()
            self._wire, theirs = socket.socketpair()
            with theirs:
                self._process = subprocess.Popen(
                    [sys.executable, "-I", "-m", self._module],
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    cwd="/",
                    env=self._environment,
                    start_new_session=True,  # Ctrl-C is for its parent, which lets it finish
                )
            self._await_readiness(self._process, self._wire)
        return self._process, self._wire

    def _await_readiness(self, process: subprocess.Popen[bytes], connection: socket.socket) -> None:
        """Wait until it serves: what ends before that is not the fault of a file."""
        try:
            wire.receive(connection, until=monotonic() + _SECONDS_TO_START)
        except (wire.BrokenWireError, OSError) as error:
            status = self._end_of(process)
            raise UnavailableError(
                f"{self._module} could not be started: status {status}"
            ) from error

    def _end_of(self, process: subprocess.Popen[bytes]) -> int:
        try:
            status = process.wait(_SECONDS_TO_DIE)
        except subprocess.TimeoutExpired:
            status = 0
        self.close()
        return status

    def close(self) -> None:
        """End the process; the next question gets a new one."""
        if self._wire is not None:
            self._wire.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = self._wire = None

    def __enter__(self) -> Self:
        """Start nothing yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        self.close()
