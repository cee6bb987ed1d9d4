"""Reading ``tokenizer.model``: just enough of sentencepiece's protocol buffer.

Field numbers are those of ``sentencepiece_model.proto``.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from worker.importing.errors import ReleaseFileError

_PIECE, _TRAINER, _NORMALIZER = 1, 2, 3
_BPE = 2
_NORMAL, _UNKNOWN, _CONTROL, _BYTE = 1, 2, 3, 6
_ADD_PREFIX, _REMOVE_SPACES, _CHARACTER_MAP = 3, 4, 2
_FIRST = ("<unk>", "<s>", "</s>")

_Value = int | bytes


class _TruncatedError(Exception):
    pass


@dataclass(frozen=True, slots=True)
class Piece:
    """One token of the vocabulary; its id is its place."""

    text: str
    score: float
    kind: int

    @property
    def is_normal(self) -> bool:
        """Whether text can become it, other than byte by byte."""
        return self.kind == _NORMAL


def pieces(file: Path) -> list[Piece]:
    """Return the vocabulary.

    Raises:
        ReleaseFileError: it is missing, damaged, or no byte-pair encoding of Llama's kind.
    """
    if not file.is_file():
        raise ReleaseFileError(file, "is missing", "download it")
    try:
        fields = list(_fields(file.read_bytes()))
        found = [_piece(value) for number, value in fields if number == _PIECE]
        trainer = _table(fields, _TRAINER)
        normalizer = _table(fields, _NORMALIZER)
    except (_TruncatedError, UnicodeDecodeError, struct.error) as error:
        raise ReleaseFileError(file, "is cut off or damaged", "download it again") from error
    _check(file, found, trainer, normalizer)
    return found


def _check(
    file: Path, found: list[Piece], trainer: dict[int, _Value], normalizer: dict[int, _Value]
) -> None:
    kinds = {piece.kind for piece in found}
    wrong = (
        trainer.get(3) != _BPE
        or normalizer.get(_CHARACTER_MAP, b"") != b""
        or normalizer.get(_ADD_PREFIX, 1) != 1
        or normalizer.get(_REMOVE_SPACES, 1) != 0
        or tuple(piece.text for piece in found[:3]) != _FIRST
        or not kinds <= {_NORMAL, _UNKNOWN, _CONTROL, _BYTE}
        or _BYTE not in kinds
    )
    if wrong:
        raise ReleaseFileError(file, "is not a vocabulary of Llama's kind", "download it again")


def _piece(value: _Value) -> Piece:
    fields = dict(_fields(_bytes(value)))
    score = struct.unpack("<f", _bytes(fields.get(2, b"\0\0\0\0")))[0]
    kind = fields.get(3, _NORMAL)
    if not isinstance(kind, int):
        raise _TruncatedError
    return Piece(_bytes(fields.get(1, b"")).decode(), score, kind)


def _table(fields: list[tuple[int, _Value]], wanted: int) -> dict[int, _Value]:
    return {
        inner: value
        for number, whole in fields
        if number == wanted
        for inner, value in _fields(_bytes(whole))
    }


def _bytes(value: _Value) -> bytes:
    if isinstance(value, int):
        raise _TruncatedError
    return value


def _fields(data: bytes) -> Iterator[tuple[int, _Value]]:
    """Yield number and value of each field (Protocol Buffers, wire format)."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        value: _Value
        match key & 7:
            case 0:
                value, at = _varint(data, at)
            case 1 | 5 as width:
                length = 8 if width == 1 else 4
                value, at = data[at : at + length], at + length
            case 2:
                length, at = _varint(data, at)
                value, at = data[at : at + length], at + length
            case _:
                raise _TruncatedError
        if at > len(data):
            raise _TruncatedError
        yield key >> 3, value


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:  # noqa: PLR2004  (bits of the longest)
            raise _TruncatedError
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:  # noqa: PLR2004  (the last byte of a number)
            return value, at
