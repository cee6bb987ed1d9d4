from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from predella import db
from predella.cli.output import Exit
from predella.models import Collection, Role, Submission
from predella.services import accounts, checkups
from predella.settings import Settings, get_settings
from tests import factories
from tests.predella.cli.running import Run, runner

_TEXT = "Rembrandt lets the light fall upon a wall, in 1642."


@pytest.fixture
def run(
    settings: Settings,  # noqa: ARG001  (the command reads them)
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Run commands as somebody who keeps collections and reviews."""
    with db.transaction() as session:
        account = factories.account(session, Role.ADMIN, Role.CURATOR, Role.APPROVER)
        _, secret = accounts.issue_token(session, account, name="test")
    monkeypatch.setenv("PREDELLA_TOKEN", secret)
    get_settings.cache_clear()
    return runner(capsys)


@pytest.fixture
def within(run: Run) -> Submission:
    assert callable(run)
    with db.transaction() as session:
        made = factories.submission(session)
        session.expunge(made)
        return made


@pytest.fixture
def slug(within: Submission) -> str:
    with db.transaction() as session:
        return session.get_one(Collection, within.collection_id).slug


@pytest.fixture
def analysis_id(within: Submission) -> str:
    with db.transaction() as session:
        return _checked(session, within)


def _checked(session: Session, within: Submission) -> str:
    item = factories.item(session, within, artist="Rembrandt van Rijn")
    made = factories.analysis(session, item, text=_TEXT)
    checkups.run(session, [factories.newest_revision(session, made).id])
    return str(made.id)


class TestReviewShow:
    def test_marks_the_flagged_words_and_says_why(self, run: Run, analysis_id: str) -> None:
        written = run("review", "show", analysis_id).out

        assert "[[Rembrandt]] lets the light fall upon a wall, in [[1642]]." in written
        assert "is the artist in the catalog" in " ".join(written.split())


class TestReviewDismiss:
    def test_clears_the_way_for_an_approval(self, run: Run, analysis_id: str) -> None:
        held = run("review", "approve", analysis_id)
        assert (held.code, "record" in held.err) == (Exit.CONFLICT, True)
        finding = run("review", "show", analysis_id, "--json").json["findings"][0]

        assert run("review", "dismiss", finding["id"]).code == Exit.USAGE
        assert run("review", "dismiss", finding["id"], "--reason", "on the frame").code == Exit.OK
        shown = run("review", "show", analysis_id)
        assert "[[Rembrandt]]" not in shown.out
        assert "on the frame" in " ".join(shown.out.split())
        assert run("review", "dismiss", finding["id"], "--withdraw", "--json").json == {
            "finding": finding["id"],
            "dismissed": False,
            "reason": None,
        }
        run("review", "dismiss", finding["id"], "--reason", "on the frame")
        assert run("review", "approve", analysis_id).code == Exit.OK


class TestReviewList:
    def test_keeps_to_a_check(self, run: Run, analysis_id: str) -> None:
        assert [
            line["id"] for line in run("review", "list", "--json", "--check", "date").lines
        ] == [analysis_id]
        assert run("review", "list", "--json", "--check", "loop").lines == []


class TestCheckList:
    def test_counts_what_is_open(self, run: Run, analysis_id: str, slug: str) -> None:
        assert analysis_id
        rows = {row["check"]: row for row in run("check", "list", "--json").json}

        assert (rows["record"]["hard"], rows["date"]["soft"], rows["loop"]["hard"]) == (1, 1, 0)
        assert "years and centuries" in run("check", "list", "--collection", slug).out


class TestCheckRun:
    def test_takes_what_changed_and_nothing_twice(
        self, run: Run, analysis_id: str, slug: str
    ) -> None:
        assert run("check", "run", "--collection", slug, "--json").json["checked"] == 0

        chosen = run("collection", "thresholds", slug, "--set", 'off=["length", "date"]')

        assert sorted(chosen.json["off"]) == ["date", "length"]
        assert run("check", "run", "--collection", slug, "--json").json["checked"] == 1
        assert run("check", "run", "--collection", slug, "--json").json["checked"] == 0
        assert run("check", "run", "--collection", slug, "--everything", "--json").json == {
            "due": 1,
            "checked": 1,
        }
        found = run("review", "show", analysis_id, "--json").json["findings"]
        assert [one["check"] for one in found] == ["record"]


class TestStatusTurned:
    def test_lists_what_lies_on_its_side(self, run: Run, within: Submission) -> None:
        with db.transaction() as session:
            home = session.get_one(Collection, within.collection_id)
            wide = factories.image(session, home, width=1200, height=900)
            factories.item(session, within, dimensions="120 x 90 cm", image_id=wide.id)
            factories.item(session, within, dimensions="90 x 120 cm", image_id=wide.id)

        (line,) = run("status", str(within.id), "--turned", "--json").lines

        assert (line["code"], "120 x 90 cm" in line["reason"]) == ("turned", True)


class TestThresholds:
    def test_go_back_to_the_usual(self, run: Run, slug: str) -> None:
        usual = run("collection", "thresholds", slug).json
        run("collection", "thresholds", slug, "--set", "reused_in=3", "--set", "similarity=0.5")

        back = run("collection", "thresholds", slug, "--usual", "reused_in").json

        assert back == usual | {"similarity": 0.5}

    @pytest.mark.parametrize("said", ["reused_in", "reused_in=many", "reused_in=0", "reuse=1"])
    def test_refuse_what_cannot_be_meant(self, run: Run, slug: str, said: str) -> None:
        assert run("collection", "thresholds", slug, "--set", said).code == Exit.USAGE


class TestGlossary:
    def test_is_read_and_speaks_and_is_dropped(
        self, run: Run, analysis_id: str, slug: str, tmp_path: Path
    ) -> None:
        file = tmp_path / "house.csv"
        file.write_text("term,ruling,instead\nwall,forbidden,parapet\n")

        kept = run("glossary", "import", str(file), "--collection", slug, "--json").json

        assert kept == {"name": "house", "version": 1, "terms": 1}
        run("check", "run", "--collection", slug)
        assert "[[wall]]" in run("review", "show", analysis_id).out
        run("glossary", "drop", "--collection", slug)
        run("check", "run", "--collection", slug)
        assert "[[wall]]" not in run("review", "show", analysis_id).out
        lists = run("glossary", "list", "--collection", slug, "--json").json
        assert lists == [{"name": "house", "version": 2, "terms": 0}]

    def test_that_is_not_there_is_a_usage_error(self, run: Run, slug: str) -> None:
        missing = run("glossary", "import", "/nowhere.csv", "--collection", slug)

        assert (missing.code, "nowhere" in missing.err) == (Exit.USAGE, True)
