from pathlib import Path

import pytest

from predella import db
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
    return runner(capsys)


class TestPrompt:
    def test_a_new_wording_is_listed_shown_and_chosen(self, run: Run, tmp_path: Path) -> None:
        with db.transaction() as session:
            slug = factories.collection(session).slug
        question = tmp_path / "question.txt"
        question.write_text("Beschreibe die Linien [genau].\n", "utf-8")

        added = run("prompt", "add", "line", "--kind", "element", "--file", str(question))
        chosen = run("collection", "prompt", slug, "line", "--json")

        assert (added.code, chosen.json["prompt_id"]) == (0, "line/2")
        assert "Beschreibe die Linien [genau]." in run("prompt", "show", "line").out
        assert {"line/1", "line/2", "sectioned/1"} <= {
            row["id"] for row in run("prompt", "list", "--json").json
        }
        assert "sectioned/1" in run("prompt", "list").out

    def test_sections_are_told_apart_by_their_headings(self, run: Run) -> None:
        added = run(
            *("prompt", "add", "two", "--kind", "formal_analysis", "--json"),
            *("--section", "Line = line", "--section", "a=b=colour/1"),
        )

        assert [one["heading"] for one in added.json["sections"]] == ["Line", "a=b"]
        assert "a=b: Please write" in run("prompt", "show", "two").out

    def test_says_what_cannot_be_used(self, run: Run, tmp_path: Path) -> None:
        add = ("prompt", "add", "mine", "--kind", "element")

        assert run(*add).code == 2
        assert run(*add, "--section", "line").code == 2
        assert "cannot be read" in run(*add, "--file", str(tmp_path / "gone.txt")).err
        assert run("collection", "prompt", "nowhere", "line").code != 0
