"""``predella up``: the whole of it on one machine; ``predella down`` from another terminal."""

import os
import signal
from typing import Annotated

import typer

from predella.cli.output import err, fail
from predella.cli.stack import Stack
from predella.embedded.home import LOOPBACK
from predella.embedded.lock import Lock
from predella.settings import get_settings

_PATIENCE = 60.0


def up(
    port: Annotated[
        int | None,
        typer.Option(help="Port of the API; the last one, else 8000, else a free one."),
    ] = None,
    bind: Annotated[
        str, typer.Option(help="Address the API listens on; 0.0.0.0 is every network.")
    ] = LOOPBACK,
) -> None:
    """Start everything on this machine and keep it running until Ctrl-C."""
    with Stack(get_settings().home, report=say, host=bind, port=port) as stack:
        stack.start_services()
        stack.start_apps()
        say(f"\npredella runs at {stack.address}; Ctrl-C, or `predella down`, stops it")
        stack.wait()


def down() -> None:
    """Stop what `predella up` or `predella demo` runs on this home."""
    home = get_settings().home
    if not home.exists() or (lock := Lock(home.absolute())).free_within(0):
        fail(f"nothing runs on {home}")
    os.kill(lock.holder().pid, signal.SIGTERM)
    if not lock.free_within(_PATIENCE):
        fail(f"process {lock.holder().pid} does not end; see {home / 'logs'}")
    say("stopped")


def say(line: str) -> None:
    """Tell whoever watches; stdout stays clean for programs."""
    err.print(line, highlight=False, soft_wrap=True, markup=False)
