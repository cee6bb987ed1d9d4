from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from predella import clock, db
from predella.errors import InvalidError, TooManyError
from predella.models import Account, SignInFailure
from predella.services import accounts, passwords, sessions
from tests import factories

RIGHT = "a low horizon divides"
HERE = "192.0.2.1"


@pytest.fixture
def ines(session: Session) -> Account:
    account = factories.account(session, name="ines")
    passwords.choose(session, account, RIGHT)
    return account


def failures(session: Session, number: int, *, name: str, address: str = HERE) -> None:
    session.add_all(SignInFailure(name=name, address=address) for _ in range(number))
    session.flush()


class TestChoose:
    @pytest.mark.parametrize(
        "password",
        ["", "eleven char", "x" * 1001, "PasswordPassword", "ababababababab", "xx-INES-yyyyy"],
    )
    def test_refuses_what_is_easily_guessed(self, session: Session, password: str) -> None:
        account = factories.account(session, name="ines")

        with pytest.raises(InvalidError):
            passwords.choose(session, account, password)

        assert account.password_hash is None

    def test_keeps_no_password_but_its_argon2id(self, ines: Account) -> None:
        assert ines.password_hash is not None
        assert ines.password_hash.startswith("$argon2id$")

    def test_signs_the_account_out_everywhere(self, session: Session, ines: Account) -> None:
        sessions.begin(session, ines)

        passwords.choose(session, ines, f"{RIGHT} again")

        assert sessions.end_all(session, ines) == 0


class TestVerify:
    def test_returns_the_account_whose_password_it_is(
        self, session: Session, ines: Account
    ) -> None:
        assert passwords.verify(session, "ines", RIGHT, address=HERE) is ines

    @pytest.mark.parametrize(("name", "password"), [("ines", "wrong"), ("nobody", RIGHT), ("", "")])
    def test_notes_what_did_not_fit(
        self, session: Session, ines: Account, name: str, password: str
    ) -> None:
        assert ines.password_hash
        assert passwords.verify(session, name, password, address=HERE) is None

        (failure,) = session.scalars(select(SignInFailure))
        assert (failure.name, failure.address) == (name, HERE)

    def test_opens_nothing_for_an_account_without_a_password(self, session: Session) -> None:
        factories.account(session, name="system")

        known = "the password of nobody at all"
        assert passwords.verify(session, "system", known, address=HERE) is None

    def test_opens_nothing_for_a_disabled_account(self, session: Session, ines: Account) -> None:
        accounts.disable(session, ines)

        assert passwords.verify(session, "ines", RIGHT, address=HERE) is None

    def test_stops_after_ten_failures_of_a_name_even_for_the_right_password(
        self, session: Session, ines: Account
    ) -> None:
        assert ines.password_hash
        failures(session, 10, name="ines", address="198.51.100.7")

        with pytest.raises(TooManyError) as stopped:
            passwords.verify(session, "ines", RIGHT, address=HERE)

        assert 880 < stopped.value.wait <= 900

    def test_stops_after_thirty_failures_from_an_address(
        self, session: Session, ines: Account
    ) -> None:
        assert ines.password_hash
        failures(session, 29, name="somebody")
        assert passwords.verify(session, "ines", RIGHT, address=HERE) is ines
        failures(session, 1, name="somebody")

        with pytest.raises(TooManyError):
            passwords.verify(session, "ines", RIGHT, address=HERE)

    @pytest.mark.usefixtures("settings")
    def test_many_tries_at_once_are_no_more_than_ten(self) -> None:
        with db.transaction() as session:
            failures(session, 8, name="ines")

        def attempt(_: int) -> bool:
            try:
                with db.transaction() as session:
                    passwords.verify(session, "ines", "wrong", address=HERE)
            except TooManyError:
                return False
            return True

        with ThreadPoolExecutor(6) as pool:
            assert sum(pool.map(attempt, range(6))) == 2

    def test_a_name_that_the_database_cannot_hold_is_nobodys(self, session: Session) -> None:
        assert passwords.verify(session, "in\0es", RIGHT, address=HERE) is None

    def test_forgets_failures_after_a_quarter_of_an_hour(
        self, session: Session, ines: Account
    ) -> None:
        long_ago = clock.now() - timedelta(minutes=16)
        session.add_all(
            SignInFailure(name="ines", address=HERE, created_at=long_ago) for _ in range(50)
        )
        session.flush()

        assert passwords.verify(session, "ines", RIGHT, address=HERE) is ines
        assert session.scalar(select(func.count()).select_from(SignInFailure)) == 50
