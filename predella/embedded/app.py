"""One of predella's own processes: the API, a worker, the sweep."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from predella.embedded.home import Home
from predella.embedded.process import Process


class App:
    """A command of ours, with the operator's environment and what the services add to it."""

    def __init__(
        self,
        name: str,
        home: Home,
        *command: str | Path,
        settings: Mapping[str, str],
        address: str = "",
        ready: Callable[[], bool] = lambda: True,
    ) -> None:
        self.name = name
        self._command = command
        self._ready = ready
        self._settings = {**settings, "PREDELLA_HOME": str(home.path)}
        self.process = Process(name, home)
        self.address = address or str(self.process.log)

    def launch(self) -> None:
        """Start it."""
        inherited = dict(os.environ)  # noqa: TID251  (handed on whole, nothing is read from it)
        self.process.start(*self._command, env={**inherited, **self._settings})

    def wait_until_ready(self) -> None:
        """Return once it answers; what asks for no answer is ready at once."""
        self.process.wait_until(self._ready, seconds=60)
