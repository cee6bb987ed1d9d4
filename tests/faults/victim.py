"""One worker that dies by SIGKILL at a named point; run in a process of its own."""

import os
import signal
from collections.abc import Callable
from itertools import count
from typing import Any

from predella.models import Stage
from predella.services import drafts, images, ledger
from predella.settings import get_settings
from predella.storage import Store, store
from worker import analyzing, preparing, recording
from worker.engine.trivial import TrivialEngine
from worker.feed import Feed
from worker.shift import Shift

Point = tuple[object, str, bool]
"""Where the function is, its name, and whether it has run when the process dies."""

_BOTH: dict[str, Point] = {
    "before the claim": (ledger, "claim", False),
    "inside the claim": (ledger, "claim", True),
    "after the claim": (Feed, "_claim", True),
    "inside the finish, before the attempt is closed": (ledger, "close", False),
    "inside the finish, after the attempt is closed": (ledger, "close", True),
}
POINTS: dict[Stage, dict[str, Point]] = {
    Stage.PREPARE: {
        **_BOTH,
        "before the download": (Store, "copy_pinned", False),
        "after the decoding": (preparing, "prepare", True),
        "before an upload": (Store, "put", False),
        "after an upload": (Store, "put", True),
        "before the finish commits": (images, "record", True),
        "after the finish": (preparing, "settle", True),
    },
    Stage.ANALYZE: {
        **_BOTH,
        "before the download": (Store, "read", False),
        "before the model": (TrivialEngine, "step", False),
        "after the model": (TrivialEngine, "step", True),
        "before the finish commits": (drafts, "record", True),
        "after the finish": (recording, "settle", True),
    },
}


def run(home: str, stage: Stage, point: str, nth: int) -> None:
    """Work until the point has been reached so many times, and die there."""
    os.environ["PREDELLA_HOME"] = home  # noqa: TID251  (this process is born without it)
    owner, name, ran = POINTS[stage][point]
    setattr(owner, name, _deadly(getattr(owner, name), nth, ran=ran))
    work(stage)


def work(stage: Stage) -> None:
    """Do one drain of a stage, as its task does."""
    settings = get_settings()
    if stage is Stage.PREPARE:
        preparing.run(store=store(), settings=settings, shift=Shift(60))
    else:
        engine = TrivialEngine(batch_size=4)
        analyzing.run(store=store(), engine=engine, settings=settings, shift=Shift(60))


def _deadly(function: Callable[..., Any], nth: int, *, ran: bool) -> Callable[..., Any]:
    calls = count(1)

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        last = next(calls) == nth
        if last and not ran:
            os.kill(os.getpid(), signal.SIGKILL)
        result = function(*args, **kwargs)
        if last:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return wrapped
