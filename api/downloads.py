"""Files that can be fetched in pieces: who lost the line goes on where it broke off.

Source: RFC 9110, sections 13.1.5 (If-Range) and 14 (range requests).
"""

import re
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Header, HTTPException
from fastapi.responses import StreamingResponse

from api.streaming import stream
from predella.models import Export
from predella.services import exporting, exports
from predella.storage import Store

_PIECE = re.compile(r"bytes=(\d{1,18})-(\d{0,18})|bytes=-(\d{1,18})")


class Piece:
    """What a caller wants of a file: all of it, or the bytes that it lacks."""

    def __init__(
        self,
        range_: Annotated[str | None, Header(alias="Range", max_length=200)] = None,
        if_range: Annotated[str | None, Header(max_length=200)] = None,
    ) -> None:
        self._range, self._if_range = range_, if_range

    def of(self, size: int, *, etag: str) -> range | None:
        """Return which bytes of a file of this size; None for all of them.

        What is not one range of bytes is passed over, as the standard has it, and so is a
        range of another file than this.

        Raises:
            HTTPException: 416, there are no such bytes.
        """
        found = _PIECE.fullmatch(self._range or "")
        if found is None or self._if_range not in {None, etag}:
            return None
        first, last, tail = found.groups()
        start = int(first) if first else max(0, size - int(tail))
        piece = range(start, min(int(last) + 1 if last else size, size))
        if not piece:
            raise HTTPException(
                HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
                f"the file has {size:,} bytes, and none where {self._range!r} begins",
                {"Content-Range": f"bytes */{size}"},
            )
        return piece


Wanted = Annotated[Piece, Depends()]


def export_file(export: Export, store: Store, wanted: Piece) -> StreamingResponse:
    """Return an export's file, or the piece of it that the caller wants.

    Raises:
        ConflictError: it has no file, or not yet.
        HTTPException: 416, the file has no such bytes.
    """
    etag = f'"{export.sha256.hex() if export.sha256 else ""}"'
    piece = wanted.of(export.size, etag=etag) if export.sha256 else None
    form = exporting.file_format(export)
    name = f"{export.collection.slug}-{export.id}{form.SUFFIX}"
    answer = stream(
        exports.open_file(export, store, piece),
        media_type=form.MEDIA_TYPE,
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Length": str(export.size if piece is None else len(piece)),
            "Accept-Ranges": "bytes",
            "ETag": etag,
        },
    )
    if piece is not None:
        answer.status_code = HTTPStatus.PARTIAL_CONTENT
        answer.headers["Content-Range"] = f"bytes {piece.start}-{piece.stop - 1}/{export.size}"
    return answer
