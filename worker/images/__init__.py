"""From whatever a museum hands in to a picture that a model, and a curator, can look at."""

import os
from functools import cache
from pathlib import Path

from worker.images.prepared import PREPROCESSING, Limits, Prepared, preprocessing
from worker.images.sandbox import Sandbox

__all__ = ["PREPROCESSING", "Limits", "Prepared", "Sandbox", "prepare", "preprocessing"]


def prepare(source: Path, *, limits: Limits, exact: bool = False) -> Prepared:
    """Return both prepared forms of this file, decoded in this process's own sandbox.

    Raises:
        RefusedImageError: the file is at fault; trying again cannot help.
        UnavailableError: the decoder was killed from outside; trying again may help.
    """
    return _sandbox(os.getpid()).prepare(source, limits, exact=exact)


@cache
def _sandbox(_pid: int) -> Sandbox:
    """Return the sandbox of this process; a fork gets one of its own."""
    return Sandbox()
