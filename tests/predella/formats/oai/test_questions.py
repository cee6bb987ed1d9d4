from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta

import pytest

from predella.formats import oai
from predella.formats.oai import ErrorCode, Listing, RefusedError, Verb

NOW = datetime(2026, 1, 20, 10, 0, 0, tzinfo=UTC)
MOMENT = datetime(2026, 1, 19, 8, 30, 0, 123_456, tzinfo=UTC)
REST = Listing(
    prefix="lido",
    set="paintings",
    since=datetime(2026, 1, 1, tzinfo=UTC),
    until=NOW,
    after=(MOMENT, 12),
    cursor=50,
    size=300,
)


def listing(**arguments: str) -> Listing:
    return oai.listing({"metadataPrefix": "oai_dc"} | arguments)


def token() -> str:
    return oai.token(Verb.LIST_RECORDS, REST, expires_at=NOW + timedelta(hours=1))


class TestListing:
    def test_a_day_counts_to_its_end_and_a_second_to_its_end(self) -> None:
        day = listing(**{"from": "2026-01-20", "until": "2026-01-20"})
        second = listing(until="2026-01-20T10:00:00Z")

        assert day.since == datetime(2026, 1, 20, tzinfo=UTC)
        assert day.until == datetime(2026, 1, 20, 23, 59, 59, 999_999, tzinfo=UTC)
        assert second.until == datetime(2026, 1, 20, 10, 0, 0, 999_999, tzinfo=UTC)

    def test_takes_the_last_day_there_is(self) -> None:
        assert listing(until="9999-12-31").until is not None

    @pytest.mark.parametrize("said", ["0000-01-01", "2026-1-1", "2026-01-20T25:00:00Z", "", "now"])
    def test_refuses_what_is_no_moment(self, said: str) -> None:
        with pytest.raises(RefusedError, match="2026-01-20T10:00:00Z") as refused:
            listing(until=said)

        assert refused.value.code is ErrorCode.BAD_ARGUMENT


class TestToken:
    def test_holds_the_place_to_the_microsecond_and_all_that_was_asked(self) -> None:
        assert oai.resumed(Verb.LIST_RECORDS, token(), now=NOW) == REST

    def test_can_stand_in_an_address_and_in_a_reply(self) -> None:
        assert oai.read([("verb", "ListRecords"), ("resumptionToken", token())])

    def test_one_that_was_cut_short_is_refused(self) -> None:
        for length in range(len(token())):
            with pytest.raises(RefusedError):
                oai.resumed(Verb.LIST_RECORDS, token()[:length], now=NOW)

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ('"lido"', '"marc"'),
            ('"lido"', "null"),
            ('"paintings"', '"a\\u0000b"'),
            (",12]", ",0]"),
            (",12]", f",{2**63}]"),
            ('"size"', '"sizes"'),
            ("2026-01-19T08:30:00.123456Z", "2026-01-19T08:30:00"),
            ("ListRecords", "Identify"),
        ],
    )
    def test_a_made_up_one_is_checked_like_arguments(self, old: str, new: str) -> None:
        place = urlsafe_b64decode(f"{token()}===").decode()
        assert old in place
        made_up = urlsafe_b64encode(place.replace(old, new).encode()).decode()

        with pytest.raises(RefusedError) as refused:
            oai.resumed(Verb.LIST_RECORDS, made_up, now=NOW)

        assert refused.value.code is ErrorCode.BAD_RESUMPTION_TOKEN

    def test_is_refused_once_it_is_too_old(self) -> None:
        with pytest.raises(RefusedError, match="begin the list anew"):
            oai.resumed(Verb.LIST_RECORDS, token(), now=NOW + timedelta(hours=1))
