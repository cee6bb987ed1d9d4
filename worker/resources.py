"""What a worker process opens once and keeps."""

from functools import cache

from predella.settings import get_settings
from worker.engine import load
from worker.engine.protocol import Engine


@cache
def engine() -> Engine:
    """Return this process's engine; the model is loaded the first time that it is asked for."""
    settings = get_settings()
    return load(settings)
