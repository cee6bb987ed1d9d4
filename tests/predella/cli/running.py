"""The ``predella`` command, run inside the test's own process."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from predella.cli import app
from predella.cli.output import plain_errors


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Return what was written as one document."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """Return what was written as one document a line."""
        return [json.loads(line) for line in self.out.splitlines()]


Run = Callable[..., Ran]


def runner(capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs one command line."""

    def run(*arguments: str) -> Ran:
        capsys.readouterr()
        with pytest.raises(SystemExit) as end, plain_errors():
            app([str(each) for each in arguments])
        written = capsys.readouterr()
        return Ran(int(end.value.code or 0), written.out, written.err)

    return run
