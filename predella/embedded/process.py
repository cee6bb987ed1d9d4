"""One program that we start, watch, and stop by its pid, and never by its name."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from predella.embedded import leash
from predella.embedded.errors import StartError
from predella.embedded.home import Home
from predella.embedded.pids import birth

_PAUSE = 0.03
_MAX_LOG_BYTES = 5_000_000


class Process:
    """A program with a log file and a file that remembers its pid.

    It leads a process group of its own, so that a Ctrl-C in the terminal reaches only us,
    and so that what it started goes when it has to be killed.
    """

    def __init__(
        self, name: str, home: Home, *, stop_signal: signal.Signals = signal.SIGTERM
    ) -> None:
        self.name = name
        self.log = home.folder("logs") / f"{name}.log"
        self._record = home.folder("run") / f"{name}.pid"
        self._stop_signal = stop_signal
        self._child: subprocess.Popen[bytes] | None = None
        self._asked = False

    @property
    def pid(self) -> int | None:
        """Its process id while it lives."""
        return self._child.pid if self._child and self._child.poll() is None else None

    @property
    def exit_code(self) -> int | None:
        """How it ended, negative for a signal; None while it lives or was never started."""
        return self._child.poll() if self._child else None

    def start(
        self,
        *command: str | Path,
        env: Mapping[str, str],
        owner: tuple[int, int] | None = None,
        cwd: Path | None = None,
    ) -> None:
        """Start the program, in place of one that still runs.

        On Linux it ends with the thread that calls this: call from one that stays.
        """
        self.stop()
        self._asked = False
        with self._open_log() as log:
            self._child = subprocess.Popen(
                leashed(*command, stop_signal=self._stop_signal, owner=owner),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=env,
                cwd=cwd,
                start_new_session=True,
            )
        self._record.write_text(f"{self._child.pid} {birth(self._child.pid)}")

    def wait_until(self, ready: Callable[[], bool], *, seconds: float) -> None:
        """Return once the program is ready.

        Raises:
            StartError: it ended, or the time is over; it is stopped then.
        """
        deadline = time.monotonic() + seconds
        while not ready():
            if self.pid is None:
                reason = f"it ended with exit code {self.exit_code}"
                raise StartError(self.name, reason, log=self.log)
            if time.monotonic() > deadline:
                self.stop()
                raise StartError(self.name, f"not ready after {seconds:.0f} s", log=self.log)
            time.sleep(_PAUSE)

    def ask_to_stop(self) -> None:
        """Send the signal that ends it in good order, and return at once."""
        if self.pid and self._child and not self._asked:
            self._child.send_signal(self._stop_signal)
            self._asked = True

    def stop(self, *, seconds: float = 10) -> None:
        """End it, in good order if it manages within this time, and whatever it started.

        The same for what an earlier run of ours left behind.
        """
        if self._child is None:
            self._stop_leftover(seconds)
            return
        self.ask_to_stop()
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(seconds)
        _kill_group(self._child.pid)
        self._child.wait()
        self._child = None
        self._record.unlink(missing_ok=True)

    def _stop_leftover(self, seconds: float) -> None:
        try:
            pid, born = self._record.read_text().split(" ", 1)
        except (OSError, ValueError):
            return
        if birth(int(pid)) == born:
            os.kill(int(pid), self._stop_signal)
            deadline = time.monotonic() + seconds
            while birth(int(pid)) == born and time.monotonic() < deadline:
                time.sleep(_PAUSE)
            _kill_group(int(pid))
        self._record.unlink()

    def _open_log(self) -> BinaryIO:
        if self.log.exists() and self.log.stat().st_size > _MAX_LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        return self.log.open("ab")


def leashed(
    *command: str | Path, stop_signal: signal.Signals, owner: tuple[int, int] | None
) -> list[str | Path]:
    """Return the command line that runs a command as its owner and ends it with us."""
    account = f"{owner[0]}:{owner[1]}" if owner else "-"
    leash_command = [sys.executable, "-I", "-S", leash.__file__]
    return [*leash_command, str(os.getpid()), str(int(stop_signal)), account, *command]


def _kill_group(leader: int) -> None:
    # On macOS a group of which only zombies are left is "not permitted".
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
