from datetime import UTC, datetime, timedelta

import pytest

from predella import clock
from predella.outside import patience


@pytest.fixture(autouse=True)
def _at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 11, 29, 12, tzinfo=UTC))


class TestAsked:
    @pytest.mark.parametrize(
        ("said", "seconds"),
        [
            (b"120", 120),
            (b" 0 ", 0),
            (b"Sun, 29 Nov 2026 12:10:00 GMT", 600),
            (b"Sunday, 29-Nov-26 12:10:00 GMT", 600),
            (b"Sun, 29 Nov 2026 13:10:00 +0100", 600),
            (b"Sun, 29 Nov 2026 11:00:00 GMT", 0),
        ],
    )
    def test_reads_seconds_and_dates(self, said: bytes, seconds: int) -> None:
        asked = patience.asked([(b"Server", b"x"), (b"Retry-After", said)])

        assert asked == timedelta(seconds=seconds)

    @pytest.mark.parametrize("said", [b"9" * 30, b"86401", b"Fri, 29 Nov 2999 12:00:00 GMT"])
    def test_waits_no_longer_than_a_day(self, said: bytes) -> None:
        assert patience.asked([(b"retry-after", said)]) == timedelta(days=1)

    @pytest.mark.parametrize(
        "said",
        [b"", b"soon", b"-5", b"1.5", b"9" * 5000, b"Sun, 99 Nov 2026 12:00:00 GMT", b"\xb2"],
    )
    def test_passes_over_what_cannot_be_read(self, said: bytes) -> None:
        assert patience.asked([(b"Retry-After", said)]) is None

    def test_of_an_answer_that_asks_for_nothing_is_none(self) -> None:
        assert patience.asked([(b"Content-Length", b"0")]) is None
