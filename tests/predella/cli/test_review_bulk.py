import pytest
from sqlalchemy import select

from predella import db
from predella.cli.output import Exit
from predella.ids import AnalysisId
from predella.models import Role, Standing
from predella.services import accounts
from predella.settings import Settings, get_settings
from tests import factories
from tests.predella.cli.running import Run, runner


@pytest.fixture
def run(
    settings: Settings,  # noqa: ARG001  (the command reads them)
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Run commands as a curator who may approve."""
    with db.transaction() as session:
        account = factories.account(session, Role.CURATOR, Role.APPROVER)
        _, secret = accounts.issue_token(session, account, name="test")
    monkeypatch.setenv("PREDELLA_TOKEN", secret)
    get_settings.cache_clear()
    command = runner(capsys)
    return lambda *arguments: command("review", *arguments)


@pytest.fixture
def made(settings: Settings) -> list[AnalysisId]:  # noqa: ARG001  (the database is made for them)
    with db.transaction() as session:
        within = factories.submission(session, factories.collection(session, slug="sk"))
        return [AnalysisId(one.id) for one in factories.analyses(session, 3, within)]


def _states() -> set[str]:
    with db.transaction() as session:
        return set(session.scalars(select(Standing.state)))


_REJECT = ("--query", "collection:sk", "--decision", "reject", "--reason", "style")


class TestBulk:
    def test_rejects_all_and_takes_it_back(self, run: Run, made: list[AnalysisId]) -> None:
        rejected = run("bulk", *_REJECT, "--yes", "--json")

        assert rejected.code == Exit.OK
        assert (rejected.json["decided"], rejected.json["refused"]) == (len(made), [])
        assert _states() == {"rejected"}

        reverted = run("revert", rejected.json["selection"])

        assert reverted.code == Exit.OK
        assert "3 reopened" in reverted.out
        assert _states() == {"needs_review"}

    def test_approves_what_was_shown_and_names_what_was_not(
        self, run: Run, made: list[AnalysisId]
    ) -> None:
        run("show", str(made[0]))

        approved = run("bulk", "--query", "collection:sk", "--decision", "approve", "--yes")

        assert approved.code == Exit.PARTIAL
        assert "1 approved, 2 not_opened." in approved.out
        assert f"{made[1]}: not_opened" in approved.err

    def test_counts_without_deciding(self, run: Run, made: list[AnalysisId]) -> None:
        counted = run("bulk", *_REJECT, "--dry-run", "--json")

        assert counted.json == {"query": "collection:sk", "count": len(made)}
        assert _states() == {"needs_review"}

    @pytest.mark.parametrize(("typed", "code"), [("3", Exit.OK), ("4", Exit.FAILURE)])
    def test_wants_the_number_typed(
        self,
        run: Run,
        made: list[AnalysisId],
        monkeypatch: pytest.MonkeyPatch,
        typed: str,
        code: Exit,
    ) -> None:
        assert made
        monkeypatch.setattr("typer.prompt", lambda *_words, **_options: typed)

        assert run("bulk", *_REJECT).code == code
        assert _states() == ({"rejected"} if code is Exit.OK else {"needs_review"})

    def test_says_what_is_wrong_with_the_query(self, run: Run) -> None:
        refused = run("bulk", "--query", "shape:round", "--decision", "reopen", "--yes")

        assert refused.code == Exit.USAGE
        assert "unknown key 'shape'" in refused.err
