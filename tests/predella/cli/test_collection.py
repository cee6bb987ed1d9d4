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
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Run commands as an administrator."""
    assert get_settings() is settings
    with db.transaction() as session:
        account = factories.account(session, Role.ADMIN)
        _, secret = accounts.issue_token(session, account, name="test")
    monkeypatch.setenv("PREDELLA_TOKEN", secret)
    get_settings.cache_clear()
    command = runner(capsys)
    return lambda *arguments: command("collection", *arguments)


@pytest.fixture
def prints(run: Run) -> str:  # noqa: ARG001  (it makes the database)
    """The slug of a collection that has chosen one rule."""
    with db.transaction() as session:
        rules = {"second_approver": True}
        return factories.collection(session, slug="prints", review_rules=rules).slug


class TestRules:
    def test_are_shown_with_what_they_mean(self, run: Run, prints: str) -> None:
        shown = run("rules", prints)

        assert "second_approver" in shown.out
        assert "cannot be the one who approves" in " ".join(shown.out.split())
        assert run("rules", prints, "--json").json == {
            "reading_floor": True,
            "second_approver": True,
            "export_sampled": False,
            "open_to_harvesters": False,
        }

    def test_some_are_chosen_and_the_others_stay(self, run: Run, prints: str) -> None:
        set_ = ("--set", "open_to_harvesters=true", "--set", "reading_floor=false")

        chosen = run("rules", prints, *set_, "--json").json

        assert chosen == run("rules", prints, "--json").json
        assert (chosen["second_approver"], chosen["open_to_harvesters"]) == (True, True)
        assert not chosen["reading_floor"]

    @pytest.mark.parametrize(
        ("said", "reason"),
        [
            ("open_to_harvester=true", "open_to_harvester"),
            ("open_to_harvesters", "second_approver=true"),
            ("open_to_harvesters=perhaps", "second_approver=true"),
            ("open_to_harvesters=7", "boolean"),
        ],
    )
    def test_says_what_is_no_rule(self, run: Run, prints: str, said: str, reason: str) -> None:
        ran = run("rules", prints, "--set", said)

        assert ran.code == Exit.USAGE
        assert reason in ran.err
        assert not run("rules", prints, "--json").json["open_to_harvesters"]


class TestChange:
    def test_what_is_not_named_stays_and_an_empty_text_takes_away(
        self, run: Run, prints: str
    ) -> None:
        named = ("--credit-line", "Gift, 1925", "--institution-uri", "https://museum.example/")
        licence = ("--text-rights", "https://creativecommons.org/licenses/by/4.0/deed.nl")

        first = run("change", prints, *named, *licence, "--json").json
        second = run("change", prints, "--credit-line", "", "--language", "nl", "--json").json

        assert first["credit_line"] == "Gift, 1925"
        assert first["text_rights"] == "http://creativecommons.org/licenses/by/4.0/"
        assert second == first | {"credit_line": None, "language": "nl"}
        assert "https://museum.example/" in run("change", prints).out

    def test_says_what_cannot_be(self, run: Run, prints: str) -> None:
        refused = run("change", prints, "--concept-uri", "formal analysis")

        assert refused.code == Exit.USAGE
        assert "concept_uri" in refused.err

    def test_a_collection_is_opened_with_all_of_it(self, run: Run, settings: Settings) -> None:
        bucket = next(iter(settings.source_buckets))
        term = "https://museum.example/terms/7"
        given = ("--name", "Maps", "--institution", "Museum", "--concept-uri", term, "--json")

        made = run("add", "maps", "--bucket", bucket, *given).json

        assert (made["concept_uri"], made["text_rights"]) == (term, None)
