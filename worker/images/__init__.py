"""From whatever a museum hands in to a picture that a model, and a curator, can look at."""

import os
from functools import cache
from pathlib import Path

from worker.images.prepared import PREPROCESSING, Limits, Prepared, preprocessing
from worker.images.sandbox import Sandbox

__all__ = [
    "PREPROCESSING",
    "Limits",
    "Prepared",
    "Sandbox",
    "enlarge",
    "prepare",
    "preprocessing",
]


def prepare(source: Path, *, limits: Limits, exact: bool = False) -> Prepared:
    """Return both prepared forms of this file, decoded in this process's own sandbox.

    Raises:
        RefusedImageError: the file is at fault; trying again cannot help.
        UnavailableError: the decoder was killed from outside; trying again may help.
    """
    return _sandbox(os.getpid()).prepare(source, limits, exact=exact)


def enlarge(source: Path, *, limits: Limits) -> bytes:
    """Return all that can be seen of this file, as a JPEG in sRGB, decoded in the sandbox.

    Raises:
        RefusedImageError: the file is at fault; trying again cannot help.
        UnavailableError: the decoder was killed from outside; trying again may help.
    """
    return _sandbox(os.getpid()).enlarge(source, limits)


@cache
def _sandbox(_pid: int) -> Sandbox:
    """Return the sandbox of this process; a fork gets one of its own."""
    return Sandbox()
