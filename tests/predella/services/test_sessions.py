from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from predella import clock
from predella.errors import AuthenticationError, InvalidError
from predella.models import Account, AuditEntry, Role, SignInLink, WebSession
from predella.services import accounts, sessions
from tests import factories


@pytest.fixture
def ines(session: Session) -> Account:
    return factories.account(session, Role.APPROVER, name="ines")


class TestAuthenticate:
    def test_gives_what_the_roles_of_the_account_give_now(
        self, session: Session, ines: Account
    ) -> None:
        secret = sessions.begin(session, ines)
        ines.roles = [Role.CURATOR]
        session.flush()

        principal = sessions.authenticate(session, secret)

        assert principal.account is ines
        assert principal.scopes == accounts.granted([Role.CURATOR])
        assert principal.session is not None

    def test_knows_the_cookie_without_keeping_it(self, session: Session, ines: Account) -> None:
        secret = sessions.begin(session, ines)

        (kept,) = session.scalars(select(WebSession))

        assert secret.encode() not in kept.sha256
        assert kept.csrf != secret

    @pytest.mark.parametrize("ending", ["idle", "old", "signed out", "everywhere", "disabled"])
    def test_ends(self, session: Session, ines: Account, ending: str) -> None:
        secret = sessions.begin(session, ines)
        found = session.scalars(select(WebSession)).one()
        match ending:
            case "idle":
                found.last_seen_at = clock.now() - timedelta(hours=12)
            case "old":
                found.expires_at = clock.now()
            case "signed out":
                sessions.end(session, found)
            case "everywhere":
                assert sessions.end_all(session, ines) == 1
            case _:
                accounts.disable(session, ines)
        session.flush()
        session.expire_all()

        with pytest.raises(AuthenticationError):
            sessions.authenticate(session, secret)

    def test_goes_on_as_long_as_it_is_used(self, session: Session, ines: Account) -> None:
        secret = sessions.begin(session, ines)
        found = session.scalars(select(WebSession)).one()
        found.last_seen_at = clock.now() - timedelta(hours=11)
        session.flush()

        sessions.authenticate(session, secret)

        assert clock.now() - found.last_seen_at < timedelta(minutes=1)

    def test_another_secret_opens_nothing(self, session: Session, ines: Account) -> None:
        sessions.begin(session, ines)

        with pytest.raises(AuthenticationError):
            sessions.authenticate(session, "guessed")


class TestAudit:
    def test_enters_who_signed_in_and_out(self, session: Session, ines: Account) -> None:
        sessions.begin(session, ines)
        sessions.end_all(session, ines)

        entries = session.scalars(
            select(AuditEntry).where(AuditEntry.subject_kind == "session").order_by(AuditEntry.seq)
        ).all()
        assert [entry.action for entry in entries] == ["session.begun", "session.ended"]
        assert {entry.account_id for entry in entries} == {ines.id}


class TestFollowLink:
    def test_signs_in_once(self, session: Session, ines: Account) -> None:
        secret = sessions.make_link(session, ines)

        assert sessions.follow_link(session, secret) is ines
        with pytest.raises(AuthenticationError):
            sessions.follow_link(session, secret)

    def test_not_after_a_quarter_of_an_hour(self, session: Session, ines: Account) -> None:
        secret = sessions.make_link(session, ines)
        session.scalars(select(SignInLink)).one().expires_at = clock.now()
        session.flush()

        with pytest.raises(AuthenticationError):
            sessions.follow_link(session, secret)

    def test_is_not_made_for_a_disabled_account(self, session: Session, ines: Account) -> None:
        accounts.disable(session, ines)

        with pytest.raises(InvalidError):
            sessions.make_link(session, ines)
