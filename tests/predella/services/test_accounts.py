from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from hashlib import sha256
from threading import Barrier

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from predella import clock, ids
from predella.errors import (
    AuthenticationError,
    InvalidError,
    LastAdminError,
    NameTakenError,
    NotFoundError,
    PermissionDeniedError,
    UnknownNamesError,
)
from predella.ids import TokenId
from predella.models import Account, Role, Token
from predella.services import accounts


def _account(session: Session, *roles: Role, name: str = "ines") -> Account:
    return accounts.add(session, name=name, display_name="Inês Ōe", roles=roles or (Role.CURATOR,))


def _in(**duration: int) -> datetime:
    return clock.now() + timedelta(**duration)


class TestAdd:
    def test_keeps_the_name_as_written_and_each_role_once(self, session: Session) -> None:
        account = accounts.add(
            session,
            name="ines.oe@museum.example",
            display_name="  Inês Ōe ",
            roles=["curator", "approver", "curator"],
        )

        session.expire_all()
        assert account.display_name == "Inês Ōe"
        assert account.roles == ["approver", "curator"]

    @pytest.mark.parametrize("name", ["", "Ines", "i nes", "-ines", "inês", "i" * 101, "ines\n"])
    def test_refuses_a_malformed_name(self, session: Session, name: str) -> None:
        with pytest.raises(InvalidError, match="cannot be an account name"):
            _account(session, name=name)

    def test_refuses_a_misspelt_role_and_names_the_known_ones(self, session: Session) -> None:
        with pytest.raises(UnknownNamesError, match="unknown role: curater; known are admin"):
            accounts.add(session, name="ines", display_name="Inês", roles=["curater"])

    def test_refuses_an_account_without_a_name(self, session: Session) -> None:
        with pytest.raises(InvalidError, match="stands under"):
            accounts.add(session, name="ines", display_name=" ", roles=["curator"])

    def test_an_account_may_wait_for_its_roles(self, session: Session) -> None:
        waiting = accounts.add(session, name="ines", display_name="Inês", roles=[])

        assert waiting.roles == []

    def test_refuses_a_taken_name_and_leaves_the_transaction_usable(self, session: Session) -> None:
        _account(session)

        with pytest.raises(NameTakenError):
            _account(session)

        assert [account.name for account in accounts.listed(session)] == ["ines"]


class TestChangeRoles:
    def test_an_open_session_and_a_token_see_it_at_once(self, session: Session) -> None:
        account = _account(session, Role.CURATOR, Role.APPROVER)
        _, secret = accounts.issue_token(session, account, name="test")

        accounts.change_roles(session, account, ["curator", "curator"])

        session.expire_all()
        assert account.roles == ["curator"]
        assert "approvals:write" not in accounts.authenticate(session, secret).scopes

    def test_refuses_a_misspelt_role_and_changes_nothing(self, session: Session) -> None:
        account = _account(session, Role.CURATOR)

        with pytest.raises(UnknownNamesError, match="unknown role: curater"):
            accounts.change_roles(session, account, ["curater"])

        assert account.roles == ["curator"]

    def test_the_last_open_admin_stays_one(self, session: Session) -> None:
        admin = _account(session, Role.ADMIN, Role.CURATOR)
        closed = _account(session, Role.ADMIN, name="gone")
        accounts.disable(session, closed)

        with pytest.raises(LastAdminError, match="'ines' is the last"):
            accounts.change_roles(session, admin, ["curator"])
        with pytest.raises(LastAdminError):
            accounts.disable(session, admin)

        assert accounts.change_roles(session, admin, ["admin"]).roles == ["admin"]

    def test_of_two_admins_that_go_at_once_one_stays(
        self, session: Session, database_url: str
    ) -> None:
        names = ("first", "second")
        for name in names:
            _account(session, Role.ADMIN, name=name)
        session.commit()
        engine = create_engine(database_url)

        def leave(name: str) -> bool:
            with Session(engine) as own:
                account = accounts.by_name(own, name)
                together.wait()
                try:
                    accounts.change_roles(own, account, [])
                except LastAdminError:
                    return False
                own.commit()
                return True

        together = Barrier(2)
        with ThreadPoolExecutor(2) as pool:
            left = list(pool.map(leave, names))
        engine.dispose()

        assert sorted(left) == [False, True]


class TestRename:
    def test_keeps_the_name_without_the_spaces_around_it(self, session: Session) -> None:
        account = _account(session)

        assert accounts.rename(session, account, " Inês de Ōe ").display_name == "Inês de Ōe"
        with pytest.raises(InvalidError, match="stands under"):
            accounts.rename(session, account, " ")


class TestGranted:
    def test_nobody_both_runs_the_house_and_approves_by_one_role(self) -> None:
        for role in Role:
            assert not {"approvals:write", "accounts:write"} <= accounts.granted([role])

    def test_every_role_may_read(self) -> None:
        for role in Role:
            assert "collections:read" in accounts.granted([role])


class TestListed:
    def test_pages_from_where_the_last_page_ended(self, session: Session) -> None:
        names = [_account(session, name=name).name for name in ("a", "b", "c")]

        first = accounts.listed(session, limit=2)
        second = accounts.listed(session, after=first[-1].id, limit=2)

        assert [account.name for account in [*first, *second]] == names


class TestByName:
    def test_an_unknown_name_is_not_found(self, session: Session) -> None:
        with pytest.raises(NotFoundError, match="no account nobody"):
            accounts.by_name(session, "nobody")


class TestIssueToken:
    def test_stores_the_digest_and_not_the_secret(self, session: Session) -> None:
        token, secret = accounts.issue_token(session, _account(session), name="laptop")

        assert secret.startswith(f"predella_{token.id.hex}_")
        assert len(secret.rpartition(f"{token.id.hex}_")[2]) == 43
        assert token.sha256 == sha256(secret.encode()).digest()

    def test_without_scopes_it_may_what_the_roles_allow_today(self, session: Session) -> None:
        account = _account(session, Role.CURATOR)

        _token, secret = accounts.issue_token(session, account, name="laptop")
        account.roles = [Role.CURATOR, Role.APPROVER]
        session.flush()

        principal = accounts.authenticate(session, secret)
        assert principal.scopes == {"collections:read", "reviews:write"}

    def test_refuses_more_than_the_roles_allow(self, session: Session) -> None:
        with pytest.raises(InvalidError, match="do not give approvals:write"):
            accounts.issue_token(
                session, _account(session), name="laptop", scopes=["approvals:write"]
            )

    def test_refuses_a_misspelt_scope(self, session: Session) -> None:
        with pytest.raises(UnknownNamesError, match="unknown scope: reviews:wirte"):
            accounts.issue_token(session, _account(session), name="x", scopes=["reviews:wirte"])

    def test_refuses_one_that_would_have_expired(self, session: Session) -> None:
        with pytest.raises(InvalidError, match="would have expired already"):
            accounts.issue_token(session, _account(session), name="x", expires_at=_in(days=-1))

    def test_refuses_a_disabled_account(self, session: Session) -> None:
        account = accounts.disable(session, _account(session))

        with pytest.raises(InvalidError, match="disabled"):
            accounts.issue_token(session, account, name="laptop")


class TestAuthenticate:
    def test_tells_who_it_is_and_what_the_token_opens(self, session: Session) -> None:
        account = _account(session, Role.CURATOR, Role.APPROVER)
        _token, secret = accounts.issue_token(
            session, account, name="reader", scopes=["collections:read"]
        )

        principal = accounts.authenticate(session, secret)

        assert principal.account is account
        assert principal.scopes == {"collections:read"}

    def test_a_role_taken_away_narrows_every_token_at_once(self, session: Session) -> None:
        account = _account(session, Role.CURATOR, Role.APPROVER)
        _token, secret = accounts.issue_token(session, account, name="laptop")

        account.roles = [Role.CURATOR]
        session.flush()

        with pytest.raises(PermissionDeniedError, match="approvals:write"):
            accounts.authenticate(session, secret).require("approvals:write")

    def test_refuses_a_known_id_with_another_secret(self, session: Session) -> None:
        _token, secret = accounts.issue_token(session, _account(session), name="laptop")
        forged = secret[:-43] + ("B" if secret[-43] == "A" else "A") + secret[-42:]

        with pytest.raises(AuthenticationError, match="not one of ours"):
            accounts.authenticate(session, forged)

    def test_refuses_another_tokens_secret_under_this_id(self, session: Session) -> None:
        account = _account(session)
        _one, first = accounts.issue_token(session, account, name="one")
        _two, second = accounts.issue_token(session, account, name="two")

        with pytest.raises(AuthenticationError):
            accounts.authenticate(session, first[:-43] + second[-43:])

    def test_refuses_an_expired_token(self, session: Session) -> None:
        token, secret = accounts.issue_token(
            session, _account(session), name="laptop", expires_at=_in(days=1)
        )
        token.expires_at = _in(seconds=-1)
        session.flush()

        with pytest.raises(AuthenticationError, match="expired on"):
            accounts.authenticate(session, secret)

    def test_refuses_a_revoked_token(self, session: Session) -> None:
        token, secret = accounts.issue_token(session, _account(session), name="laptop")
        accounts.revoke_token(session, TokenId(token.id))

        with pytest.raises(AuthenticationError, match="revoked on"):
            accounts.authenticate(session, secret)

    def test_refuses_every_token_of_a_disabled_account(self, session: Session) -> None:
        account = _account(session)
        _token, secret = accounts.issue_token(session, account, name="laptop")
        accounts.disable(session, account)

        with pytest.raises(AuthenticationError, match="disabled"):
            accounts.authenticate(session, secret)

    @given(st.text() | st.from_regex(r"predella_[0-9a-f]{32}_[\w-]{43}", fullmatch=True))
    @settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_anything_else_is_refused_in_the_same_way(self, session: Session, token: str) -> None:
        with pytest.raises(AuthenticationError, match="not one of ours"):
            accounts.authenticate(session, token)

    def test_notes_its_use_once_a_minute(self, session: Session) -> None:
        token, secret = accounts.issue_token(session, _account(session), name="laptop")

        accounts.authenticate(session, secret)
        first = token.last_used_at
        accounts.authenticate(session, secret)
        assert first is not None
        assert token.last_used_at == first

        token.last_used_at = _in(seconds=-61)
        session.flush()
        accounts.authenticate(session, secret)
        assert token.last_used_at > first

    @pytest.mark.usefixtures("database_url")
    def test_never_waits_for_another_request_that_notes_the_same_use(
        self, session: Session
    ) -> None:
        token, secret = accounts.issue_token(session, _account(session), name="laptop")
        session.commit()
        session.execute(text("SET lock_timeout = '100ms'"))

        with Session(session.get_bind()) as busy:
            busy.get(Token, token.id, with_for_update=True)

            assert accounts.authenticate(session, secret).account.name == "ines"


class TestRevokeToken:
    def test_a_second_time_keeps_the_first_date(self, session: Session) -> None:
        token, _secret = accounts.issue_token(session, _account(session), name="laptop")
        first = accounts.revoke_token(session, TokenId(token.id)).revoked_at

        assert accounts.revoke_token(session, TokenId(token.id)).revoked_at == first

    def test_an_unknown_token_is_not_found(self, session: Session) -> None:
        with pytest.raises(NotFoundError, match="no token"):
            accounts.revoke_token(session, TokenId(ids.new()))
