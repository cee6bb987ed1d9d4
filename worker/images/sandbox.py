"""Decoding in a process of its own, which a hostile or enormous file may kill."""

import signal
from dataclasses import asdict
from pathlib import Path
from typing import Any

from predella.confined.process import Confined, DiedError
from predella.errors import RefusedImageError, UnavailableError
from worker.images.prepared import Limits, Prepared

ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    "MALLOC_MMAP_THRESHOLD_": str(8 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(32 << 20),
}
"""All that the process is told. Rows come and go: glibc shall not give the memory of each back to
the kernel, which took two thirds of the time of a 16-bit TIFF."""
_CRASHES = frozenset(
    {
        *(signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSYS),
        *(signal.SIGABRT, signal.SIGTRAP),  # how GLib ends without memory
    }
)


class Sandbox(Confined):
    """One decoding process."""

    def __init__(self) -> None:
        super().__init__("worker.images.child", environment=ENVIRONMENT)

    def prepare(self, source: Path, limits: Limits, *, exact: bool = False) -> Prepared:
        """Return both prepared forms of this file.

        Raises:
            RefusedImageError: the file is at fault.
            UnavailableError: the process is at fault; trying again may help.
        """
        head, parts = self._ask(source, limits, {"exact": exact, "zoom": False})
        return Prepared(model_png=parts[0], review_jpeg=parts[1], **head)

    def enlarge(self, source: Path, limits: Limits) -> bytes:
        """Return all that can be seen of this file, as a JPEG in sRGB: what the zoom is cut from.

        Raises:
            RefusedImageError: the file is at fault.
            UnavailableError: the process is at fault; trying again may help.
        """
        _, (jpeg,) = self._ask(source, limits, {"exact": True, "zoom": True})
        return jpeg

    def _ask(
        self, source: Path, limits: Limits, what: dict[str, bool]
    ) -> tuple[dict[str, Any], list[bytes]]:
        head = {"limits": asdict(limits), **what}
        try:
            with source.open("rb") as file:
                answer, parts = self.ask(head, files=[file.fileno()], seconds=limits.wall_seconds)
        except TimeoutError as error:
            raise _timed_out() from error
        except MemoryError as error:
            raise _out_of_memory() from error
        except DiedError as error:
            raise _death(error.status) from error
        if "refused" in answer:
            raise RefusedImageError(*answer["refused"])
        return answer, parts


def _death(status: int) -> Exception:
    """Return what the end of the process means for the file that it was decoding."""
    if -status == signal.SIGXCPU:
        return _timed_out()
    if -status in _CRASHES:
        sentence = "The file makes the image decoder crash. Export it again."
        return RefusedImageError("decoder_crashed", sentence)
    return UnavailableError(f"the picture decoder ended with status {status}")


def _timed_out() -> RefusedImageError:
    sentence = "Decoding took too long and was stopped. Export the file again, or hand in a JPEG."
    return RefusedImageError("timed_out", sentence)


def _out_of_memory() -> RefusedImageError:
    sentence = "Decoding took too much memory and was stopped. Hand in a smaller derivative."
    return RefusedImageError("out_of_memory", sentence)
