"""Bytes from our own bucket, passed on as they come."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import BinaryIO

from fastapi.responses import StreamingResponse

from predella.settings import get_settings
from predella.storage import Store

_CHUNK = 1 << 18


def stream(
    store: Store, key: str, *, media_type: str, headers: Mapping[str, str]
) -> StreamingResponse:
    """Return an answer that carries one of our own objects.

    Raises:
        MissingObjectError: it is not there; known before the answer begins.
    """
    content = store.open(get_settings().bucket, key)
    return StreamingResponse(_chunks(content), media_type=media_type, headers=headers)


def _chunks(content: BinaryIO) -> Iterator[bytes]:
    with closing(content):
        while chunk := content.read(_CHUNK):
            yield chunk
