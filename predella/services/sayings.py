"""Sayings: notes, reasons and comments, as they are kept."""

from predella.errors import InvalidError
from predella.formats.text import normalise

MAX_LENGTH = 2_000
"""Characters."""


def kept(what: str, text: str) -> str:
    """Return what somebody says, as it is kept; empty where nothing is said.

    Raises:
        InvalidError: it is longer than 2,000 characters; the message calls it ``what``.
    """
    said = normalise(text).strip()
    if len(said) > MAX_LENGTH:
        raise InvalidError(
            f"the {what} has {len(said):,} characters; at most {MAX_LENGTH:,} are kept"
        )
    return said
