"""What a check says about a wording."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

Span = tuple[int, int]
"""Characters of the text, [start, end)."""


class CheckName(StrEnum):
    """What a check is called, everywhere and for ever."""

    TRUNCATED = "truncated"
    LENGTH = "length"
    LOOP = "loop"
    LEAK = "leak"
    LANGUAGE = "language"
    RECORD = "record"
    DATE = "date"
    ATTRIBUTION = "attribution"
    BIOGRAPHY = "biography"
    PLACE = "place"
    NAME = "name"
    COLOUR_ABSENT = "colour_absent"
    BW_IMAGE = "bw_image"
    LIGHT = "light"
    WARMTH = "warmth"
    FORMAT = "format"
    TERM = "term"
    NEAR_DUPLICATE = "near_duplicate"
    REUSED_SENTENCE = "reused_sentence"
    ORIENTATION = "orientation"


class Severity(StrEnum):
    """What a finding asks of a curator."""

    HARD = "hard"
    """No approval before it is mended, or dismissed with a reason."""
    SOFT = "soft"
    """Worth a look before approval."""
    INFO = "info"
    """Worth knowing."""


@dataclass(frozen=True)
class Remark:
    """What one check notices, before anybody asks which check it was."""

    severity: Severity
    span: Span | None = None
    """The words it is about; none when it is about the whole text."""
    evidence: Mapping[str, object] = field(default_factory=dict)
    """What it was concluded from, and what fills the gaps of its sentence; JSON values."""


@dataclass(frozen=True)
class Finding:
    """What one version of one check says about one wording."""

    check: CheckName
    version: int
    severity: Severity
    sentence: str
    """What is wrong, in plain English."""
    span: Span | None
    evidence: Mapping[str, object]
    fingerprint: bytes
    """The same wherever the same words stand in the same sentence: a dismissal lasts as long."""


def fingerprint(check: str, passage: str, words: str, place: int) -> bytes:
    """Return what two findings share if one dismissal is enough for both."""
    return hashlib.sha256(f"{check}\0{passage}\0{words}\0{place}".encode()).digest()
