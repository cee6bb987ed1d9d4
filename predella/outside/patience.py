"""How long somebody outside asks us to wait: ``Retry-After`` (RFC 9110, 10.2.3)."""

from collections.abc import Iterable
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime

from predella import clock

LONGEST = timedelta(days=1)
"""What asks for more is asked again after this."""


def asked(headers: Iterable[tuple[bytes, bytes]]) -> timedelta | None:
    """Return how long an answer asks to wait; None where it does not, or not so as to be read."""
    said = [value for name, value in headers if name.lower() == b"retry-after"]
    if not said:
        return None
    text = said[0].decode("ascii", "replace").strip()
    try:
        seconds = int(text) if text.isdigit() else _until(text)
    except (ValueError, OverflowError):
        return None
    return timedelta(seconds=min(max(seconds, 0), LONGEST.total_seconds()))


def _until(date: str) -> float:
    return (parsedate_to_datetime(date).astimezone(UTC) - clock.now()).total_seconds()
