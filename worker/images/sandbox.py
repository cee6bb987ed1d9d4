"""Decoding in a process of its own, which a hostile or enormous file may kill."""

import signal
import socket
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Any, Self

from predella.errors import RefusedImageError, UnavailableError
from worker.images import wire
from worker.images.prepared import Limits, Prepared

ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    "MALLOC_MMAP_THRESHOLD_": str(8 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(32 << 20),
}
"""All that the process is told. Rows come and go: glibc shall not give the memory of each back to
the kernel, which took two thirds of the time of a 16-bit TIFF."""
_CRASHES = frozenset(
    {
        *(signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSYS),
        *(signal.SIGABRT, signal.SIGTRAP),  # how GLib ends without memory
    }
)
_SECONDS_TO_DIE = 5


class Sandbox:
    """One decoding process, started when first needed and replaced when it dies.

    A plain subprocess, because Celery's worker processes are daemonic and may not have children
    of ``multiprocessing``. Calls from several threads take turns.
    """

    def __init__(self) -> None:
        self._turn = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._wire: socket.socket | None = None

    def prepare(self, source: Path, limits: Limits, *, exact: bool = False) -> Prepared:
        """Return both prepared forms of this file.

        Raises:
            RefusedImageError: the file is at fault.
            UnavailableError: the process is at fault; trying again may help.
        """
        head, parts = self._ask(source, limits, {"exact": exact, "zoom": False})
        return Prepared(model_png=parts[0], review_jpeg=parts[1], **head)

    def enlarge(self, source: Path, limits: Limits) -> bytes:
        """Return all that can be seen of this file, as a JPEG in sRGB: what the zoom is cut from.

        Raises:
            RefusedImageError: the file is at fault.
            UnavailableError: the process is at fault; trying again may help.
        """
        _, (jpeg,) = self._ask(source, limits, {"exact": True, "zoom": True})
        return jpeg

    def _ask(
        self, source: Path, limits: Limits, what: dict[str, bool]
    ) -> tuple[dict[str, Any], list[bytes]]:
        with self._turn, source.open("rb") as file:
            head, parts = self._exchange(file.fileno(), limits, what)
        if "refused" in head:
            raise RefusedImageError(*head["refused"])
        return head, parts

    def _exchange(
        self, descriptor: int, limits: Limits, what: dict[str, bool]
    ) -> tuple[dict[str, Any], list[bytes]]:
        process, connection = self._running()
        try:
            wire.send(connection, {"limits": asdict(limits), **what})
            socket.send_fds(connection, [b"\0"], [descriptor])
            head, parts = wire.receive(connection, until=monotonic() + limits.wall_seconds)
        except TimeoutError as error:
            self.close()
            raise _timed_out() from error
        except (wire.BrokenWireError, OSError) as error:
            raise self._death(process) from error
        if "out_of_memory" in head:
            self.close()
            raise _out_of_memory()
        if "defect" in head:
            raise UnavailableError(f"the picture decoder has a defect: {head['defect']}")
        return head, parts

    def _running(self) -> tuple[subprocess.Popen[bytes], socket.socket]:
        if self._process is None or self._wire is None or self._process.poll() is not None:
            self.close()
            self._wire, theirs = socket.socketpair()
            with theirs:
                self._process = subprocess.Popen(
                    [sys.executable, "-I", "-m", "worker.images.child"],
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    cwd="/",
                    env=ENVIRONMENT,
                    start_new_session=True,  # Ctrl-C is for its parent, which lets it finish
                )
        return self._process, self._wire

    def _death(self, process: subprocess.Popen[bytes]) -> Exception:
        """Return what the end of the process means for the file that it was decoding."""
        try:
            status = process.wait(_SECONDS_TO_DIE)
        except subprocess.TimeoutExpired:
            status = 0
        self.close()
        if -status == signal.SIGXCPU:
            return _timed_out()
        if -status in _CRASHES:
            sentence = "The file makes the image decoder crash. Export it again."
            return RefusedImageError("decoder_crashed", sentence)
        return UnavailableError(f"the picture decoder ended with status {status}")

    def close(self) -> None:
        """End the process; the next picture gets a new one."""
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


def _timed_out() -> RefusedImageError:
    sentence = "Decoding took too long and was stopped. Export the file again, or hand in a JPEG."
    return RefusedImageError("timed_out", sentence)


def _out_of_memory() -> RefusedImageError:
    sentence = "Decoding took too much memory and was stopped. Hand in a smaller derivative."
    return RefusedImageError("out_of_memory", sentence)
