"""From the bytes of a manifest to its characters."""

import codecs
import gzip
import io
import zlib
from typing import BinaryIO, TextIO

from typing_extensions import Buffer, override

from predella.formats.manifest.problems import ManifestHeaderError

_CHUNK = 1 << 16
_PACKED = b"\x1f\x8b"
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

DAMAGED = (gzip.BadGzipFile, EOFError, zlib.error)
"""What reading a compressed file that was cut or changed may raise."""


def characters(stream: BinaryIO) -> TextIO:
    """Return the manifest's characters with their line ends as they are.

    gzip and UTF-16 are known by their first bytes. A byte that is not UTF-8 and comes after
    the first 64 KiB becomes U+FFFD, so that it spoils its own row alone.

    Raises:
        ManifestHeaderError: the file is a workbook, damaged, or in another encoding.
    """
    source = _buffered(stream)
    try:
        if source.peek(2)[:2] == _PACKED:
            source = _buffered(gzip.GzipFile(fileobj=source))
        head = source.peek(_CHUNK)
    except DAMAGED as error:
        raise ManifestHeaderError("The compressed manifest is damaged; send it again.") from error
    return io.TextIOWrapper(source, encoding=_encoding(head), errors="replace", newline="")


def _encoding(head: bytes) -> str:
    """Return the codec of a file that begins so, which also takes away its byte order mark."""
    if head.startswith(_WORKBOOKS):
        raise ManifestHeaderError(
            'The manifest is an Excel workbook; save it as "CSV UTF-8" and send that.'
        )
    if head.startswith(_UTF16):
        return "utf-16"
    if b"\0" in head[:4]:
        raise ManifestHeaderError(
            'The manifest is UTF-16 without a byte order mark; save it as "CSV UTF-8".'
        )
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError as error:
        before = head[max(0, error.start - 20) : error.start].decode(errors="ignore")
        raise ManifestHeaderError(
            f'The manifest is not UTF-8: after "{before.splitlines()[-1] if before else ""}" comes'
            f" byte 0x{head[error.start]:02X}, so it is probably Windows-1252 (Latin-1)."
            ' Save it as "CSV UTF-8".'
        ) from error
    return "utf-8-sig"


def _buffered(stream: BinaryIO | gzip.GzipFile) -> io.BufferedReader:
    return io.BufferedReader(_Whole(stream), _CHUNK)


class _Whole(io.RawIOBase):
    """A source that fills what it is given, where a network stream may give a little at a time.

    Closing it leaves the source open: that belongs to the caller.
    """

    def __init__(self, source: BinaryIO | gzip.GzipFile) -> None:
        self._source = source

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Buffer, /) -> int:
        view = memoryview(buffer)
        filled = 0
        while filled < len(view) and (part := self._source.read(len(view) - filled)):
            view[filled : filled + len(part)] = part
            filled += len(part)
        return filled
