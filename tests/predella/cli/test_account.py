import json

import pytest
from typer.testing import CliRunner

from predella import db
from predella.cli.account import app
from predella.errors import InvalidError, LastAdminError, NameTakenError, NotFoundError
from predella.services import accounts, passwords, sessions
from predella.settings import get_settings
from tests import factories

pytestmark = pytest.mark.usefixtures("settings")


def _run(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def _add(name: str = "ines", *roles: str) -> None:
    wanted = [word for role in roles or ("curator",) for word in ("--role", role)]
    _run("add", name, "--name", "Inês [Ōe]", *wanted)


class TestAdd:
    def test_the_account_is_there_for_the_next_command(self) -> None:
        _add("ines", "curator", "approver")

        (account,) = json.loads(_run("list", "--json"))
        assert account["name"] == "ines"
        assert account["display_name"] == "Inês [Ōe]"
        assert account["roles"] == ["approver", "curator"]

    def test_a_taken_name_is_our_own_error(self) -> None:
        _add()

        with pytest.raises(NameTakenError):
            _add()

    def test_a_misspelt_role_is_a_usage_error(self) -> None:
        result = CliRunner().invoke(app, ["add", "ines", "--name", "Inês", "--role", "curater"])

        assert result.exit_code == 2


class TestList:
    def test_shows_brackets_as_brackets(self) -> None:
        _add()

        assert "Inês [Ōe]" in _run("list")


class TestToken:
    def test_stdout_is_the_token_alone_and_it_opens(self) -> None:
        _add()

        printed = _run("token", "ines", "--scope", "collections:read", "--expires", "30")

        with db.transaction() as session:
            principal = accounts.authenticate(session, printed.removesuffix("\n"))
            assert principal.account.name == "ines"
            assert principal.scopes == {"collections:read"}

    def test_an_unknown_account_is_our_own_error(self) -> None:
        with pytest.raises(NotFoundError):
            _run("token", "nobody")


class TestPassword:
    def test_is_read_from_a_pipe_and_signs_in(self) -> None:
        _add()

        CliRunner().invoke(
            app, ["password", "ines"], input="a low horizon\n", catch_exceptions=False
        )

        with db.transaction() as session:
            found = passwords.verify(session, "ines", "a low horizon", address="test")
            assert found is not None


class TestSignInLink:
    def test_signs_in_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PREDELLA_PUBLIC_URL", "https://desk.example/")
        get_settings.cache_clear()
        _add()

        place, _, secret = _run("sign-in-link", "ines").strip().rpartition("/")

        assert place == "https://desk.example/sign-in/once"
        with db.transaction() as session:
            assert sessions.follow_link(session, secret).name == "ines"


class TestRevoke:
    def test_a_revoked_token_is_shown_as_such(self) -> None:
        _add()
        _run("token", "ines")
        (token,) = json.loads(_run("tokens", "ines", "--json"))

        _run("revoke", token["id"])

        (revoked,) = json.loads(_run("tokens", "ines", "--json"))
        assert token["revoked_at"] is None
        assert revoked["revoked_at"] is not None


class TestDisable:
    def test_a_disabled_account_is_shown_as_such(self) -> None:
        _add()

        _run("disable", "ines")

        (account,) = json.loads(_run("list", "--json"))
        assert account["disabled_at"] is not None


class TestGrant:
    def test_roles_in_one_collection_stand_beside_those_in_every_one(self) -> None:
        _add("ines", "curator")
        with db.transaction() as session:
            factories.collection(session, slug="prints")

        _run("grant", "ines", "--role", "approver", "--collection", "prints")
        _run("grant", "ines", "--role", "registrar", "--collection", "prints")
        shown = json.loads(_run("grant", "ines", "--role", "digitizer", "--json"))

        assert shown["roles"] == ["curator", "digitizer"]
        assert shown["memberships"] == [
            {"collection": "prints", "roles": ["approver", "registrar"]}
        ]
        assert "in prints: approver, registrar" in _run("show", "ines")

    def test_an_unknown_collection_is_our_own_error(self) -> None:
        _add()

        with pytest.raises(NotFoundError, match="no collection maps"):
            _run("grant", "ines", "--role", "approver", "--collection", "maps")


class TestUngrant:
    def test_takes_one_role_or_all_of_them(self) -> None:
        _add("ines", "curator", "approver")
        with db.transaction() as session:
            factories.collection(session, slug="prints")
        _run("grant", "ines", "--role", "approver", "--role", "admin", "--collection", "prints")

        one = json.loads(_run("ungrant", "ines", "--role", "approver", "--json"))
        here = json.loads(_run("ungrant", "ines", "--collection", "prints", "--json"))

        assert (one["roles"], len(one["memberships"])) == (["curator"], 1)
        assert (here["roles"], here["memberships"]) == (["curator"], [])
        assert "in every collection: no role" in _run("ungrant", "ines")

    def test_the_last_admin_keeps_the_role(self) -> None:
        _add("ines", "admin")

        with pytest.raises(LastAdminError):
            _run("ungrant", "ines", "--role", "admin")


class TestLink:
    ISSUER = "https://id.example/realms/museum"

    def test_is_listed_until_it_is_taken_away(self) -> None:
        _add()
        person = ("--issuer", self.ISSUER, "--subject", "[7]")
        _run("link", "ines", *person)

        (linked,) = json.loads(_run("identities", "ines", "--json"))
        assert (linked["issuer"], linked["subject"]) == (self.ISSUER, "[7]")
        assert "[7]" in _run("identities", "ines")

        _run("unlink", "ines", *person)
        assert json.loads(_run("identities", "ines", "--json")) == []

    def test_needs_a_provider(self) -> None:
        _add()

        with pytest.raises(InvalidError, match="PREDELLA_OIDC_ISSUER"):
            _run("link", "ines", "--subject", "7")
