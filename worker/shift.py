"""How long one drain goes on."""

import math
import os
import signal
import threading
import time

import billiard
from celery.signals import worker_process_init, worker_shutting_down

_told = threading.Event()


class Shift:
    """The time that one drain is given, if any; it ends early when the worker is being stopped.

    Celery lets a running task end before it stops. Here the main process tells its children,
    which then finish what the model works on and give the rest back at once.
    """

    def __init__(self, seconds: float = math.inf) -> None:
        self._end = time.monotonic() + seconds
        self._parent = os.getppid()

    @property
    def is_over(self) -> bool:
        """Whether nothing new should be taken in hand."""
        return self.is_stopped or time.monotonic() >= self._end

    @property
    def is_stopped(self) -> bool:
        """Whether what is in hand should be given back."""
        return _told.is_set() or self.is_abandoned

    @property
    def is_abandoned(self) -> bool:
        """Whether the main process was killed: its child must make room for what replaces it."""
        return os.getppid() != self._parent


@worker_process_init.connect
def _listen(**_: object) -> None:
    signal.signal(signal.SIGUSR2, lambda *_: _told.set())


@worker_shutting_down.connect
def _tell(**_: object) -> None:
    for child in billiard.active_children():
        if child.pid is not None:
            os.kill(child.pid, signal.SIGUSR2)
