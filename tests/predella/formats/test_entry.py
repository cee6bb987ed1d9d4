from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from predella.formats.entry import AlteredWordingError, stamp
from tests.predella.formats import factories


class TestCatalogWording:
    def test_refuses_a_text_that_is_not_the_approved_one(self) -> None:
        approved = factories.wording("A blue vase.")

        with pytest.raises(AlteredWordingError):
            replace(approved, text="A green vase.")

    def test_refuses_a_text_that_some_format_cannot_carry(self) -> None:
        with pytest.raises(AlteredWordingError):
            factories.wording("A vase\x0b.")


class TestStamp:
    def test_is_in_utc(self) -> None:
        moment = datetime(2026, 1, 20, 1, 30, tzinfo=timezone(timedelta(hours=2)))

        assert stamp(moment) == "2026-01-19T23:30:00Z"
