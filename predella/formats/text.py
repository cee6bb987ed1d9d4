"""How a text may look before it is stored, so that every format can carry it."""

import re
import unicodedata

_LINE_BREAK = re.compile("\r\n|[\r\v\f\x1c\x1d\x1e\x85\u2028\u2029]")
_UNWANTED = re.compile(
    "["
    "\x00-\x08\x0e-\x1f\x7f-\x9f"  # control characters; tab and newline stay
    "\ud800-\udfff"  # lone surrogates: no encoding has them
    "\ufdd0-\ufdef\ufffe\uffff"  # noncharacters
    "\ufeff"  # byte order mark
    "\ufe00-\ufe0f\U000e0100-\U000e01ef"  # variation selectors: they can hide a manifest
    "\U000e0000-\U000e007f"  # tags: they can hide words
    + "".join(f"{chr(plane << 16 | 0xFFFE)}-{chr(plane << 16 | 0xFFFF)}" for plane in range(1, 17))
    + "]"
)


def normalise(text: str) -> str:
    r"""Return the text in NFC, its line breaks as ``\n``, without what no catalog can carry.

    Removed are control characters, lone surrogates, everything that XML 1.0 forbids, and the
    invisible characters in which C2PA 2.3 (A.7) and others hide data. Joiners and direction
    marks stay: Persian, Hindi and Hebrew need them. A wording is normalised once, when it is
    stored; its sha256 is that of the result.
    """
    return unicodedata.normalize("NFC", _UNWANTED.sub("", _LINE_BREAK.sub("\n", text)))
