"""The tasks: drains without arguments, safe to deliver at any time and any number of times."""

import sys
from collections.abc import Callable

import structlog

from predella import queue
from predella.errors import UnavailableError
from predella.services import delivering, exports, submissions
from predella.settings import get_settings
from predella.storage import store
from worker import analyzing, preparing, resources, zooming
from worker.app import app
from worker.guard import Guard
from worker.rounds import EngineBrokenError
from worker.shift import Shift

_CPU_SECONDS = 20
"""Short, because the kinds of work on the CPU take turns."""
_SOFT_LIMIT, _LIMIT = 900, 1200
"""They stop a task that hangs. A drain of the model has none: it is guarded while it works."""
_LONG_SECONDS = 4 * 3600
"""For a million headers that are looked at, or a million lines of LIDO."""
_LOADING_SECONDS = 3600
"""A checkpoint that is new on a slow disk is read twice: for its digest, and to be loaded."""

log = structlog.get_logger()


@app.task(name=queue.RECEIVE, soft_time_limit=_LONG_SECONDS, time_limit=_LONG_SECONDS + 60)
def receive() -> None:
    """Read the hand-ins that wait."""
    _one_by_one(lambda: submissions.receive_waiting(store()), queue.RECEIVE)


@app.task(name=queue.EXPORT, soft_time_limit=_LONG_SECONDS, time_limit=_LONG_SECONDS + 60)
def export() -> None:
    """Write the exports that wait."""
    _one_by_one(lambda: exports.write_waiting(store()), queue.EXPORT)


@app.task(name=queue.ZOOM, soft_time_limit=_SOFT_LIMIT, time_limit=_LIMIT)
def zoom() -> None:
    """Make the zooms that somebody looks for."""
    _one_by_one(lambda: zooming.make_waiting(store()), queue.ZOOM)


@app.task(name=queue.DELIVER, soft_time_limit=_SOFT_LIMIT, time_limit=_LIMIT)
def deliver() -> None:
    """Tell webhooks of what has happened."""
    _one_by_one(delivering.deliver_waiting, queue.DELIVER)


def _one_by_one(work: Callable[[], bool], task: str) -> None:
    shift = Shift(_CPU_SECONDS)
    while work():
        if shift.is_over:
            queue.ring(task)
            return


@app.task(name=queue.PREPARE, soft_time_limit=_SOFT_LIMIT, time_limit=_LIMIT)
def prepare() -> None:
    """Prepare the images that wait."""
    try:
        preparing.run(store=store(), settings=get_settings(), shift=Shift(_CPU_SECONDS))
    except UnavailableError as error:
        log.warning("store_away", reason=str(error))


@app.task(name=queue.ANALYZE)
def analyze() -> None:
    """Analyze the images that wait, for as long as there are any.

    After a failure of the engine the process is replaced: what a CUDA error leaves behind
    is beyond repair.
    """
    with Guard(_LOADING_SECONDS):
        engine = resources.engine()
    try:
        analyzing.run(store=store(), engine=engine, settings=get_settings(), shift=Shift())
    except UnavailableError as error:
        log.warning("store_away", reason=str(error))
    except EngineBrokenError:
        sys.exit(1)
