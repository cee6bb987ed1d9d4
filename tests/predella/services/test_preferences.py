import pytest
from sqlalchemy.orm import Session

from predella.errors import InvalidError
from predella.services import preferences
from tests import factories


class TestChoose:
    def test_keeps_only_what_is_not_as_usual(self, session: Session) -> None:
        account = factories.account(session)

        preferences.choose(session, account, {"single_keys": True, "language": "nl"})

        assert account.preferences == {"language": "nl"}
        assert preferences.of(account).single_keys

    def test_refuses_a_language_that_the_pages_are_not_written_in(self, session: Session) -> None:
        account = factories.account(session)

        with pytest.raises(InvalidError, match="language"):
            preferences.choose(session, account, {"language": "tlh"})
