"""Object numbers that no row tells: out of the pictures, or of file names by a pattern.

RE2 matches in linear time: no pattern, however unlucky, makes a hand-in hang.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import re2

from predella.errors import InvalidError
from predella.formats.headers import Field

MAX_PATTERN = 500
_GROUPS = {"number": "object_number", "view": "view", "sequence": "sequence"}
_QUIET = re2.Options()
_QUIET.log_errors = False
_QUIET.max_mem = 1 << 20


@dataclass(frozen=True)
class Numbering:
    r"""Where the object numbers come from that no row tells.

    ``field`` is the one of the pictures' metadata, which goes first. ``pattern`` is how file names
    tell numbers, perhaps views: ``(?P<number>.+)_v(?P<sequence>\d+)``.
    """

    pattern: str | None = None
    field: Field | None = None

    def __bool__(self) -> bool:
        """Say whether they come from anywhere."""
        return bool(self.pattern or self.field)

    def of(self, filename: str) -> Mapping[str, str]:
        """Return what a file's name says, by the manifest's columns; nothing if it does not fit."""
        found = re2.search(self.pattern, filename, _QUIET) if self.pattern else None
        if found is None:
            return {}
        told = {_GROUPS[name]: value for name, value in found.groupdict().items()}
        return {column: value for column, value in told.items() if value}

    @classmethod
    def parse(cls, pattern: str | None, field: str | None = None) -> Self:
        """Return the numbering of a pattern, of a field, or of both; empty ones are none.

        Raises:
            InvalidError: one of them cannot be used.
        """
        if pattern:
            _require_usable(pattern)
        return cls(pattern or None, Field.parse(field) if field else None)


NONE = Numbering()
"""What no row tells is missing."""


def _require_usable(pattern: str) -> None:
    """Refuse what RE2 cannot read, what is too long, and what has other groups than it may."""
    if len(pattern) > MAX_PATTERN:
        raise InvalidError(f"the pattern has {len(pattern):,} characters; at most {MAX_PATTERN}")
    try:
        groups = set(re2.compile(pattern, _QUIET).groupindex)
    except re2.error as error:
        raise InvalidError(f"{pattern!r} is no pattern that RE2 reads: {_said(error)}") from error
    if "number" not in groups:
        raise InvalidError(
            f"{pattern!r} does not say which part is the object number: put it in (?P<number>...)"
        )
    if strange := groups - set(_GROUPS):
        raise InvalidError(f"{min(strange)!r} is no group; there are {', '.join(_GROUPS)}")


def _said(error: Exception) -> str:
    reason = error.args[0] if error.args else error
    return reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
