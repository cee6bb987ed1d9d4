"""Our own processes, launched by their command: nothing of theirs is imported."""

import http.client
import sys
import sysconfig
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path

from predella.embedded.app import App
from predella.embedded.home import LOOPBACK, Home
from predella.settings import Settings

NAMES = ("model-worker", "cpu-worker", "sweep", "api")
"""In the order in which they end."""

_PYTHON = (sys.executable, "-m")


def address(settings: Settings) -> str:
    """Return where people on this machine find the API and the curators' desk."""
    return f"http://{_reachable(settings)}:{settings.api_port}"


def apps(home: Home, settings: Settings, *, values: Mapping[str, str]) -> list[App]:
    """Return the API, the sweep and the workers, in the order in which they start.

    Without a checkpoint there is no model worker: its items wait.
    """
    found = [
        _api(home, settings, values),
        App("sweep", home, _script("predella"), "sweep", settings=values),
        _worker("cpu-worker", "cpu", home, values, processes=2),
    ]
    if settings.engine == "trivial" or settings.model_dir is not None:
        found.append(_worker("model-worker", "gpu", home, values, processes=1))
    return found


def _api(home: Home, settings: Settings, values: Mapping[str, str]) -> App:
    return App(
        "api",
        home,
        *(*_PYTHON, "api", "--host", settings.api_host, "--port", str(settings.api_port)),
        # Followers of events would hold it back for ever.
        *("--grace", "3"),
        settings=values,
        address=address(settings),
        ready=lambda: _is_alive(_reachable(settings), settings.api_port),
    )


def _worker(name: str, queue: str, home: Home, values: Mapping[str, str], *, processes: int) -> App:
    return App(
        name,
        home,
        *(*_PYTHON, "celery", "--app", "worker.app", "worker"),
        *("--queues", queue, "--hostname", f"{queue}@%h", "--concurrency", str(processes)),
        # There is nobody to chat with: each queue has one worker here.
        *("--without-mingle", "--without-gossip"),
        settings=values,
    )


def _script(name: str) -> Path:
    return Path(sysconfig.get_path("scripts")) / name


def _reachable(settings: Settings) -> str:
    everywhere = settings.api_host in {"0.0.0.0", "::"}  # noqa: S104  (compared with, not bound to)
    return LOOPBACK if everywhere else settings.api_host


def _is_alive(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", "/livez")
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
