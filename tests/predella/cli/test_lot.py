import pytest

from predella import db
from predella.cli.output import Exit
from predella.models import Role
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
    """Run commands as an approver."""
    with db.transaction() as session:
        account = factories.account(session, Role.APPROVER)
        _, secret = accounts.issue_token(session, account, name="test")
    monkeypatch.setenv("PREDELLA_TOKEN", secret)
    get_settings.cache_clear()
    return runner(capsys)


@pytest.fixture
def slug(run: Run) -> str:  # noqa: ARG001  (it makes the database)
    with db.transaction() as session:
        made = factories.collection(session, slug="paintings")
        factories.analyses(session, 130, factories.submission(session, made))
        return made.slug


class TestLot:
    def test_is_made_read_concluded_and_reverted(self, run: Run, slug: str) -> None:
        lot = run("lot", "create", slug, "--plan", "quick_look", "--json").json
        sample = run("lot", "show", lot["id"], "--sample", "--json").json["sample"]
        assert run("lot", "conclude", lot["id"]).code == Exit.CONFLICT
        assert run("review", "approve", *(f"{one['id']}@0" for one in sample)).code == Exit.OK

        concluded = run("lot", "conclude", lot["id"], "--json")

        assert (concluded.code, concluded.json["state"]) == (Exit.OK, "passed")
        assert concluded.json["accepted"] == 130 - len(sample)
        assert "needs review again" in run("lot", "revert", lot["id"]).out
        (row,) = run("lot", "report", slug, "--json").json
        assert (row["state"], row["defects"]) == ("reverted", 0)

    def test_says_in_words_how_far_it_is(self, run: Run, slug: str) -> None:
        told = run("lot", "create", slug, "--plan", "standard").out

        assert "130 works" in told
        assert "It passes with at most 2 defects" in told

    def test_prints_what_each_plan_promises(self, run: Run) -> None:
        rows = run("lot", "plans", "--members", "10000", "--json").json

        assert {row["plan"]: row["sample"] for row in rows} == {
            "strict": 263,
            "standard": 105,
            "quick_look": 60,
        }
        assert rows[0]["passes"]["0.02"] == pytest.approx(0.099, abs=0.001)


class TestControl:
    def test_is_seeded_revealed_and_counted(self, run: Run, slug: str) -> None:
        (one, *_) = run("review", "list", "--collection", slug, "--json").lines

        made = run("control", "seed", one["id"], "--expected", "colour", "--json").json
        told = run("control", "report", slug)

        assert "1 seeded: 0 caught, 0 missed, 1 waiting." in told.out
        assert run("control", "reveal", made["id"]).code == Exit.OK
        assert run("control", "report", slug, "--json").json["rate"] is None
