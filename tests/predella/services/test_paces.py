from datetime import timedelta

from sqlalchemy.orm import Session

from predella.models import Account, Decision
from predella.services import paces, searches, selections
from tests import factories


def _decide(session: Session, by: Account, *seconds: float | None, **fields: object) -> None:
    made = factories.analyses(session, len(seconds))
    for one, seen in zip(made, seconds, strict=True):
        factories.review(session, one, Decision.REJECTED, by=by, seconds_seen=seen, **fields)


class TestOf:
    def test_is_the_average_of_ones_own_decisions(self, session: Session) -> None:
        ines, other = factories.account(session), factories.account(session)
        _decide(session, ines, *[20.0] * 15, *[40.0] * 15)
        _decide(session, other, *[300.0] * 30)

        assert paces.of(session, ines) == timedelta(seconds=30)

    def test_is_of_the_last_hundred(self, session: Session) -> None:
        ines = factories.account(session)
        _decide(session, ines, *[90.0] * 30)
        _decide(session, ines, *[10.0] * 100)

        assert paces.of(session, ines) == timedelta(seconds=10)

    def test_is_nothing_while_there_is_too_little_to_tell(self, session: Session) -> None:
        ines = factories.account(session)
        _decide(session, ines, *[20.0] * 19, *[None] * 30)

        assert paces.of(session, ines) is None

    def test_does_not_count_a_pause_for_lunch_as_reading(self, session: Session) -> None:
        ines = factories.account(session)
        _decide(session, ines, *[30.0] * 19, 3_600.0)

        assert paces.of(session, ines) == timedelta(seconds=(19 * 30 + 600) / 20)

    def test_does_not_count_decisions_on_many_at_once(self, session: Session) -> None:
        ines = factories.account(session)
        _decide(session, ines, *[30.0] * 20)
        every = searches.parse(session, "", account=ines, within=None)
        frozen = selections.freeze(session, every, account=ines)
        _decide(session, ines, *[1.0] * 20, selection_id=frozen.id)

        assert paces.of(session, ines) == timedelta(seconds=30)
