"""Object numbers out of file names, by a pattern that the team writes.

RE2 matches in linear time: no pattern, however unlucky, makes a hand-in hang.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import re2

from predella.errors import InvalidError

MAX_PATTERN = 500
_GROUPS = {"number": "object_number", "view": "view", "sequence": "sequence"}
_QUIET = re2.Options()
_QUIET.log_errors = False
_QUIET.max_mem = 1 << 20


@dataclass(frozen=True)
class Numbering:
    r"""How file names tell object numbers, perhaps views: ``(?P<number>.+)_v(?P<sequence>\d+)``."""

    pattern: str

    def of(self, filename: str) -> Mapping[str, str]:
        """Return what a file's name says, by the manifest's columns; nothing if it does not fit."""
        found = re2.search(self.pattern, filename, _QUIET)
        if found is None:
            return {}
        told = {_GROUPS[name]: value for name, value in found.groupdict().items()}
        return {column: value for column, value in told.items() if value}

    @classmethod
    def parse(cls, pattern: str) -> Self:
        """Return the numbering of a pattern.

        Raises:
            InvalidError: RE2 cannot read it, it is too long, or has other groups than it may.
        """
        if len(pattern) > MAX_PATTERN:
            raise InvalidError(
                f"the pattern has {len(pattern):,} characters; at most {MAX_PATTERN}"
            )
        try:
            groups = set(re2.compile(pattern, _QUIET).groupindex)
        except re2.error as error:
            raise InvalidError(
                f"{pattern!r} is no pattern that RE2 reads: {_said(error)}"
            ) from error
        if "number" not in groups:
            raise InvalidError(
                f"{pattern!r} does not say which part is the object number:"
                " put it in (?P<number>...)"
            )
        if strange := groups - set(_GROUPS):
            raise InvalidError(f"{min(strange)!r} is no group; there are {', '.join(_GROUPS)}")
        return cls(pattern)


def _said(error: Exception) -> str:
    reason = error.args[0] if error.args else error
    return reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
