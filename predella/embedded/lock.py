"""One ``predella up`` per home."""

import fcntl
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from predella.embedded.errors import AlreadyRunningError

_STARTING = "it is still starting"


@dataclass(frozen=True)
class Holder:
    """Who runs on a home, and where its service is."""

    pid: int
    address: str


class Lock:
    """Held while the services of a home run; the system lets go of it however we end."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._file = (home / "lock").open("a+")

    def acquire(self) -> None:
        """Become the one who runs on this home.

        Raises:
            AlreadyRunningError: somebody is.
        """
        if not self._try():
            other = self.holder()
            self.release()
            raise AlreadyRunningError(self._home, pid=other.pid, address=other.address)
        self.announce(_STARTING)

    def announce(self, address: str) -> None:
        """Write down where the service is, for whoever comes second."""
        self._file.truncate(0)
        self._file.write(json.dumps(asdict(Holder(os.getpid(), address))))
        self._file.flush()

    def release(self) -> None:
        """Let others have it."""
        self._file.close()

    def holder(self) -> Holder:
        """Return what the one who holds it wrote down."""
        self._file.seek(0)
        written = self._file.read()
        return Holder(**json.loads(written)) if written else Holder(0, _STARTING)

    def free_within(self, seconds: float) -> bool:
        """Say whether nobody holds it, now or within this time."""
        deadline = time.monotonic() + seconds
        while not (free := self._try()) and time.monotonic() < deadline:
            time.sleep(0.1)
        return free

    def _try(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
