"""From tokens back to text."""

import codecs
import re
from collections.abc import Callable, Sequence
from typing import Any

_BYTE = re.compile("<0x([0-9A-F]{2})>")
_SPACE = "\u2581"


def decoder(tokenizer: Any) -> Callable[[Sequence[int]], str]:
    """Return what turns tokens of this vocabulary into text, special tokens left out.

    Where characters can be spelt out in bytes, as in Llama's vocabulary, a text may be cut
    within one. ``tokenizers`` then loses the whole run of bytes, line breaks among them; we lose
    only the bytes that make no character, as sentencepiece does.
    """
    if tokenizer.convert_tokens_to_ids("<0x0A>") in {None, tokenizer.unk_token_id}:
        return lambda ids: str(
            tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        )
    special = frozenset(tokenizer.all_special_ids)
    return lambda ids: _spelt(
        tokenizer.convert_ids_to_tokens([token for token in ids if token not in special])
    )


def _spelt(pieces: Sequence[str]) -> str:
    text = b"".join(map(_bytes, pieces)).decode("utf-8", "predella_each_byte")
    return text.removeprefix(" ")


def _bytes(piece: str) -> bytes:
    byte = _BYTE.fullmatch(piece)
    return bytes([int(byte[1], 16)]) if byte else piece.replace(_SPACE, " ").encode()


def _each_byte(error: UnicodeError) -> tuple[str, int]:
    """Put one U+FFFD for every byte that belongs to no character."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "\ufffd" * (error.end - error.start), error.end


codecs.register_error("predella_each_byte", _each_byte)
