import pytest
from sqlalchemy import create_engine, make_url, text

from predella import db
from predella.models import Role
from predella.services import accounts, audits
from predella.settings import Settings, get_settings
from tests.predella.cli.running import Run, runner
from tests.services import UrlOf, sqlalchemy_url


@pytest.fixture
def run(
    settings: Settings,  # noqa: ARG001  (the database that the command finds)
    capsys: pytest.CaptureFixture[str],
) -> Run:
    with db.transaction() as session:
        accounts.add(session, name="ines", display_name="Inês", roles=[Role.ADMIN])
        accounts.add(session, name="jan", display_name="Jan", roles=[Role.CURATOR])
    with db.transaction() as session:
        audits.seal(session)
    return runner(capsys)


class TestVerify:
    def test_ends_well_and_tells_the_head(self, run: Run) -> None:
        told = run("audit", "verify", "--json")

        assert told.code == 0
        assert (told.json["sealed"], told.json["broken"]) == (2, None)
        assert told.json["head"] in run("audit", "verify").out

    def test_ends_with_1_and_names_the_broken_entry(
        self, run: Run, postgres: UrlOf, database_url: str
    ) -> None:
        engine = create_engine(sqlalchemy_url(postgres(make_url(database_url).database or "")))
        with engine.begin() as owner:
            owner.execute(text("ALTER TABLE audit_entry DISABLE TRIGGER USER"))
            owner.execute(text("UPDATE audit_entry SET action = 'x' WHERE number = 2"))
        engine.dispose()

        told = run("audit", "verify", "--json")

        assert told.code == 1
        assert told.json["broken"]["number"] == 2
        assert "entry 2" in told.err


class TestList:
    def test_shows_who_did_what(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        with db.transaction() as session:
            account = accounts.by_name(session, "ines")
            secret = accounts.issue_token(session, account, name="t")[1]
        monkeypatch.setenv("PREDELLA_TOKEN", secret)
        get_settings.cache_clear()
        lines = run("audit", "list", "--json").lines

        assert [line["action"] for line in lines] == [
            "account.opened",
            "account.opened",
            "token.made",
        ]
        assert "account.opened" in run("audit", "list").out
