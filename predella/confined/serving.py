"""The other side of `Confined`: one question after another, until the parent hangs up."""

import socket
import traceback
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from predella.confined import confinement, wire
from predella.errors import RefusedImageError

Answer: TypeAlias = tuple[dict[str, Any], Sequence[bytes]]
"""A head of JSON values, and parts."""
_TRACE = 4000
"""Characters of a traceback that are worth telling."""


def serve(answered: Callable[[dict[str, Any], list[bytes], list[int]], Answer]) -> None:
    """Confine this process, then answer the socket that is our standard input.

    ``answered`` takes the head of a question, its parts and its open files, which it closes.
    After the confinement no file can be opened, modules of libraries among them: what it needs
    has to be loaded before.
    """
    confinement.confine()
    with socket.socket(fileno=0) as parent:
        wire.send(parent, {"ready": True})
        while True:
            try:
                head, parts = wire.receive(parent)
                files = socket.recv_fds(parent, 1, head["files"])[1] if head["files"] else []
            except wire.BrokenWireError:
                return
            _answer(parent, lambda: answered(head, parts, files))  # noqa: B023  (called at once)


def _answer(parent: socket.socket, answered: Callable[[], Answer]) -> None:
    try:
        head, parts = answered()
    except RefusedImageError as refusal:
        wire.send(parent, {"refused": [refusal.code, str(refusal)]})
    except MemoryError:
        wire.send(parent, {"out_of_memory": True})
    except Exception:  # noqa: BLE001  (the edge of the process: the parent shall know)
        wire.send(parent, {"defect": traceback.format_exc()[-_TRACE:]})
    else:
        wire.send(parent, head, *parts)
