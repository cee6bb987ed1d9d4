"""Messages between a confined process and its parent: a length, a JSON head, then raw bytes."""

import json
import socket
import struct
from time import monotonic
from typing import Any

_LENGTH = struct.Struct(">I")
_MOST = 256 << 20
"""Bytes of any one part: a JPEG of 144 megapixels of noise has half of that."""


class BrokenWireError(Exception):
    """The other side is gone, or says what it must not."""


def send(wire: socket.socket, head: dict[str, Any], *parts: bytes) -> None:
    """Send one message; the head learns the lengths of its parts."""
    text = json.dumps({**head, "parts": [len(part) for part in parts]}).encode()
    wire.sendall(b"".join([_LENGTH.pack(len(text)), text, *parts]))


def receive(
    wire: socket.socket, *, until: float | None = None
) -> tuple[dict[str, Any], list[bytes]]:
    """Return the next message: its head and its parts.

    Raises:
        BrokenWireError: no whole message can come any more.
        TimeoutError: ``until``, a time of the monotonic clock, passed.
    """
    (length,) = _LENGTH.unpack(_exactly(wire, _LENGTH.size, until))
    head = json.loads(_exactly(wire, length, until))
    return head, [_exactly(wire, size, until) for size in head.pop("parts")]


def _exactly(wire: socket.socket, size: int, until: float | None) -> bytes:
    if size > _MOST:
        raise BrokenWireError
    buffer = bytearray(size)
    view = memoryview(buffer)
    while view:
        wire.settimeout(None if until is None else max(0.001, until - monotonic()))
        count = wire.recv_into(view)
        if count == 0:
            raise BrokenWireError
        view = view[count:]
    return bytes(buffer)
