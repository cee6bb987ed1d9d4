"""Bytes from an object store, passed on as they come."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import BinaryIO

from fastapi.responses import StreamingResponse

_CHUNK = 1 << 18


def stream(content: BinaryIO, *, media_type: str, headers: Mapping[str, str]) -> StreamingResponse:
    """Return an answer that carries a file, and closes it at its end."""
    return StreamingResponse(_chunks(content), media_type=media_type, headers=headers)


def _chunks(content: BinaryIO) -> Iterator[bytes]:
    with closing(content):
        while chunk := content.read(_CHUNK):
            yield chunk
