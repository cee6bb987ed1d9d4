import io
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from predella import db, ids
from predella.cli import reading
from predella.cli.output import Exit
from predella.ids import AnalysisId
from predella.models import Collection, FinishReason, Item, ReviewState, Role
from predella.services import (
    accounts,
    analyses,
    claims,
    memberships,
    places,
    regenerations,
    reviews,
)
from predella.settings import Settings, get_settings
from tests import factories
from tests.predella.cli.running import Run, runner

SignIn = Callable[..., None]
Type = Callable[[str], None]


@pytest.fixture
def sign_in(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> SignIn:  # noqa: ARG001  (the command reads them)
    """Become somebody with these roles."""

    def become(*roles: Role) -> None:
        with db.transaction() as session:
            account = factories.account(session, *roles)
            _, secret = accounts.issue_token(session, account, name="test")
        monkeypatch.setenv("PREDELLA_TOKEN", secret)
        get_settings.cache_clear()

    return become


@pytest.fixture
def join(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:  # noqa: ARG001  (the command reads them)
    """Become somebody who has these roles where an analysis lies, and none elsewhere."""

    def become(analysis_id: AnalysisId, *roles: Role) -> None:
        with db.transaction() as session:
            account = accounts.add(session, name="member", display_name="Member", roles=[])
            (within,) = places.of(session, "analysis_id", analysis_id)
            memberships.change(session, account, within, roles)
            _, secret = accounts.issue_token(session, account, name="test")
        monkeypatch.setenv("PREDELLA_TOKEN", secret)
        get_settings.cache_clear()

    return become


@pytest.fixture
def run(sign_in: SignIn, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run commands as a curator who may approve."""
    sign_in(Role.CURATOR, Role.APPROVER)
    command = runner(capsys)
    return lambda *arguments: command("review", *arguments)


@pytest.fixture
def type_in(monkeypatch: pytest.MonkeyPatch) -> Type:
    """Let the next command read this from its stdin."""
    return lambda text: monkeypatch.setattr(
        sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8")
    )


def _analysis(
    text: str = "A blue vase.", *, notice: str | None = None, **item_fields: Any
) -> AnalysisId:
    with db.transaction() as session:
        by = factories.release(session, notice=notice)
        made = factories.analysis(session, factories.item(session, **item_fields), text=text, by=by)
        return AnalysisId(made.id)


def _collection(session: Session, item_id: UUID) -> Collection:
    return session.get_one(Collection, session.get_one(Item, item_id).collection_id)


def _state(analysis_id: AnalysisId) -> ReviewState:
    with db.transaction() as session:
        return analyses.get(session, analysis_id).state


def _text(analysis_id: AnalysisId) -> str:
    with db.transaction() as session:
        return analyses.get(session, analysis_id).revision.text


def _amend(analysis_id: AnalysisId, text: str) -> None:
    with db.transaction() as session:
        by = factories.account(session)
        reviews.amend(session, analysis_id, text=text, account=by, seen=0)


class TestList:
    def test_as_json_lines_carries_the_notice_and_how_the_text_ended(self, run: Run) -> None:
        id_ = _analysis(notice="Only a demonstration.", object_number="SK-A-1", title="Vas [1]")

        (line,) = run("list", "--json").lines

        assert line["id"] == str(id_)
        assert (line["text"], line["notice"]) == ("A blue vase.", "Only a demonstration.")
        assert (line["finish_reason"], line["mean_logprob"]) == ("stop", -0.5)
        assert line["objects"] == [{"object_number": "SK-A-1", "title": "Vas [1]", "artist": None}]

    def test_for_people_names_each_wording_and_shows_the_notice(self, run: Run) -> None:
        id_ = _analysis(notice="Only a demonstration.", title="Vas [1]")

        written = run("list").out

        assert "Only a demonstration." in written
        assert f"{id_}@0" in written

    def test_keeps_to_a_collection_and_a_state_and_goes_on_behind_one(self, run: Run) -> None:
        first, second, rejected = (_analysis() for _ in range(3))
        run("reject", str(rejected), "--reason", "colour")

        open_ones = run("list", "--json", "--state", "needs_review", "--after", str(first)).lines

        assert [line["id"] for line in open_ones] == [str(second)]
        with db.transaction() as session:
            (item,) = analyses.get(session, second).items
            slug = _collection(session, item.id).slug
        assert [line["id"] for line in run("list", "--json", "--collection", slug).lines] == [
            str(second)
        ]

    def test_of_nothing_is_no_error(self, run: Run) -> None:
        assert run("list", "--json").out == ""


class TestShow:
    def test_shows_what_stands_by_the_text(self, run: Run) -> None:
        with db.transaction() as session:
            made = factories.analysis(
                session,
                factories.item(session, object_number="SK-A-1", title="Vas [bold]"),
                by=factories.release(session, notice="Only a demonstration."),
                finish_reason=FinishReason.LENGTH,
            )
            id_ = made.id

        written = run("show", str(id_)).out

        assert "SK-A-1 Vas [bold]" in written
        assert "Only a demonstration." in written
        assert "cut" in written
        assert "-1.25" in written

    def test_shows_what_was_changed_and_by_whom(self, run: Run) -> None:
        id_ = _analysis("A blue vase stands here.")
        _amend(id_, "A green vase stands here.")

        written = run("show", str(id_)).out

        assert "[-blue-]{+green+}" in written
        assert re.search(r"Account-\d+ wrote wording 1", written)

    def test_as_json_tells_every_step(self, run: Run) -> None:
        id_ = _analysis()
        run("approve", str(id_), "--note", "read twice")
        run("undo", str(id_))

        history = run("show", str(id_), "--json").json["history"]

        assert [step.get("decision") for step in history] == [None, "approved", "reopened"]
        assert history[1]["note"] == "read twice"

    def test_tells_the_whole_provenance(self, run: Run) -> None:
        provenance = run("show", str(_analysis()), "--provenance").json

        assert provenance["release"]["weights_sha256"] == "ab" * 32
        assert provenance["raw_text"] == "A blue vase."

    @pytest.mark.parametrize(
        ("word", "code"),
        [("42", Exit.USAGE), ("01a20000-0000-7000-8000-000000000000", Exit.FAILURE)],
    )
    def test_of_what_does_not_exist_says_so(self, run: Run, word: str, code: Exit) -> None:
        ran = run("show", word)

        assert (ran.code, word in ran.err) == (code, True)


class TestAmend:
    def test_takes_a_file(self, run: Run, tmp_path: Path) -> None:
        id_ = _analysis()
        (tmp_path / "new.txt").write_bytes("\ufeffA grå vase.\r\n".encode())

        assert run("amend", str(id_), "--file", str(tmp_path / "new.txt"), "--json").json == {
            "id": str(id_),
            "revision": 1,
            "text": "A grå vase.",
        }

    def test_takes_stdin(self, run: Run, type_in: Type) -> None:
        id_ = _analysis()
        type_in("A green vase.\n")

        assert run("amend", str(id_), "--file", "-").code == Exit.OK
        assert _text(id_) == "A green vase."

    def test_opens_an_editor_on_the_newest_wording(
        self, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        id_ = _analysis()
        editor = tmp_path / "editor"
        editor.write_text('#!/bin/sh\nsed -i s/blue/green/ "$1"\ntouch -d "+1 hour" "$1"\n')
        editor.chmod(0o700)
        monkeypatch.setenv("VISUAL", str(editor))

        assert run("amend", str(id_)).code == Exit.OK
        assert _text(id_) == "A green vase."

    def test_an_editor_left_without_saving_changes_nothing(
        self, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("VISUAL", "true")

        ran = run("amend", str(_analysis()))

        assert (ran.code, "nothing was saved" in ran.err) == (Exit.USAGE, True)

    def test_keeps_the_text_when_somebody_was_faster(self, run: Run, type_in: Type) -> None:
        id_ = _analysis()
        _amend(id_, "A red vase.")
        type_in("A green vase.")

        ran = run("amend", f"{id_}@0", "--file", "-")

        assert ran.code == Exit.CONFLICT
        kept = re.search(r"kept in (\S+)", ran.err)
        assert kept
        assert Path(kept[1]).read_text(encoding="utf-8") == "A green vase."
        Path(kept[1]).unlink()

    @pytest.mark.parametrize("content", [b"caf\xe9", None])
    def test_says_what_is_wrong_with_a_file(
        self, run: Run, tmp_path: Path, content: bytes | None
    ) -> None:
        if content:
            (tmp_path / "new.txt").write_bytes(content)

        ran = run("amend", str(_analysis()), "--file", str(tmp_path / "new.txt"))

        assert (ran.code, "new.txt" in ran.err) == (Exit.USAGE, True)


class TestDecide:
    def test_approves_the_wording_that_was_named(self, run: Run) -> None:
        id_ = _analysis()

        (row,) = run("approve", f"{id_}@0", "--json").json

        assert (row["id"], row["revision"], row["decision"]) == (str(id_), 0, "approved")
        assert _state(id_) is ReviewState.APPROVED

    def test_refuses_a_wording_that_was_replaced_since_it_was_read(self, run: Run) -> None:
        id_ = _analysis()
        _amend(id_, "A green vase.")

        assert run("approve", f"{id_}@0").code == Exit.CONFLICT
        assert _state(id_) is ReviewState.NEEDS_REVIEW

    def test_takes_many_from_stdin_and_tells_which_were_refused(
        self, run: Run, type_in: Type
    ) -> None:
        good, decided, missing = _analysis(), _analysis(), ids.new()
        run("approve", str(decided))
        type_in(f"{good}@0\n\n{decided}\n{missing}\n")

        ran = run("approve", "-", "--json")

        assert ran.code == Exit.PARTIAL
        assert ["error" in row for row in ran.json] == [False, True, True]
        assert _state(good) is ReviewState.APPROVED

    def test_takes_more_than_one_call_may_hold(
        self, run: Run, type_in: Type, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(reviews, "MAX_RULINGS", 2)
        made = [_analysis() for _ in range(5)]
        type_in("\n".join(map(str, made)))

        assert run("approve", "-").code == Exit.OK
        assert {_state(id_) for id_ in made} == {ReviewState.APPROVED}

    def test_rejects_with_a_reason(self, run: Run) -> None:
        id_ = _analysis()

        assert run("reject", str(id_)).code == Exit.USAGE
        assert run("reject", str(id_), "--reason", "colour").code == Exit.OK
        assert _state(id_) is ReviewState.REJECTED

    def test_a_word_that_is_no_id_decides_nothing(self, run: Run) -> None:
        id_ = _analysis()

        assert run("approve", str(id_), "SK-A-1").code == Exit.USAGE
        assert _state(id_) is ReviewState.NEEDS_REVIEW

    def test_only_an_approver_approves_and_takes_back(self, run: Run, sign_in: SignIn) -> None:
        id_ = _analysis()
        sign_in(Role.CURATOR)
        refused = run("approve", str(id_))
        sign_in(Role.APPROVER)
        run("approve", str(id_))
        sign_in(Role.CURATOR)

        assert (refused.code, "approvals:write" in refused.err) == (Exit.AUTH, True)
        assert run("undo", str(id_)).code == Exit.AUTH
        assert _state(id_) is ReviewState.APPROVED


class TestRegenerate:
    def test_gives_a_text_up_and_asks_for_another(self, run: Run) -> None:
        id_ = _analysis()

        ran = run("regenerate", f"{id_}@0", "--reason", "colour", "--note", "It is red.")

        assert ran.code == Exit.OK
        assert "a new text is asked for" in ran.out
        assert _state(id_) == "superseded"
        with db.transaction() as session:
            (wish,) = regenerations.of(session, id_)
            assert (wish.review.reason, wish.review.note) == ("colour", "It is red.")

    def test_is_taken_back_by_undo(self, run: Run) -> None:
        id_ = _analysis()
        run("regenerate", str(id_), "--reason", "style", "--json")

        assert "needs review again" in run("undo", str(id_)).out
        assert _state(id_) == "needs_review"

    def test_refuses_a_wording_that_was_replaced(self, run: Run) -> None:
        id_ = _analysis()
        _amend(id_, "A green vase.")

        assert run("regenerate", f"{id_}@0", "--reason", "style").code == Exit.CONFLICT


class TestUndo:
    def test_takes_back_decisions_then_amendments(self, run: Run) -> None:
        id_ = _analysis()
        _amend(id_, "A green vase.")
        run("approve", str(id_))

        assert "needs review" in run("undo", str(id_)).out
        assert "@2 brings back wording 0" in run("undo", str(id_)).out
        assert run("undo", str(id_)).code == Exit.CONFLICT

    def test_takes_nothing_back_that_was_not_seen(self, run: Run) -> None:
        id_ = _analysis()
        _amend(id_, "A green vase.")

        assert run("undo", f"{id_}@0").code == Exit.CONFLICT
        assert _text(id_) == "A green vase."


class TestNext:
    def test_decides_with_one_key_and_goes_on(self, run: Run, type_in: Type) -> None:
        one, two, three, four = (_analysis(f"Text {number}.") for number in range(4))
        type_in("a\nr\n3\ns\na\nr\n1\n")

        ran = run("next", "--order", "oldest")

        assert ran.code == Exit.OK
        assert [_state(id_) for id_ in (one, two, three, four)] == [
            "approved",
            "rejected",
            "rejected",
            "approved",
        ]
        assert "Nothing more of this is to be decided." in ran.out
        assert ran.out.index("Text 3.") < ran.out.rindex("Text 2.")

    def test_shows_only_what_the_query_finds_and_what_no_colleague_holds(
        self, run: Run, type_in: Type
    ) -> None:
        held, free, _other = _analysis("A jug."), _analysis("A jug."), _analysis("A cup.")
        with db.transaction() as session:
            claims.hold(session, held, account=factories.account(session))
        type_in("s\nq\n")

        shown = run("next", "--query", "jug").out

        assert (str(free) in shown, str(held) in shown, "A cup." in shown) == (True, False, False)

    def test_whoever_leaves_holds_nothing(self, run: Run, type_in: Type) -> None:
        id_ = _analysis()
        type_in("q\n")

        run("next")

        with db.transaction() as session:
            assert claims.of(session, [id_]) == {}

    def test_names_the_collections_that_there_are(self, run: Run) -> None:
        ran = run("next", "--query", "collection:nowhere")

        assert ran.code == Exit.USAGE
        assert "no collection is called 'nowhere'" in " ".join(ran.err.split())

    def test_u_takes_back_the_last_decision_and_shows_that_text_again(
        self, run: Run, type_in: Type
    ) -> None:
        id_ = _analysis("Text 1.")
        _analysis("Text 2.")
        type_in("a\nu\n")

        written = run("next").out

        assert [written.count(f"Text {number}.") for number in (1, 2)] == [2, 1]
        assert _state(id_) is ReviewState.NEEDS_REVIEW

    def test_approves_what_was_shown_and_nothing_newer(
        self, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        id_ = _analysis()
        answers = iter(["a", ""])

        def answer(_question: str) -> str:
            if _text(id_) == "A blue vase.":
                _amend(id_, "A green vase.")
            return next(answers)

        monkeypatch.setattr("predella.cli.review_round._ask", answer)

        ran = run("next")

        assert "replaced" in ran.err
        assert _state(id_) is ReviewState.NEEDS_REVIEW

    @pytest.mark.parametrize("keys", ["", "q\n", "x\n", "r\n0\n", "u\n"])
    def test_decides_nothing_by_mistake(self, run: Run, type_in: Type, keys: str) -> None:
        id_ = _analysis()
        type_in(keys)

        assert run("next").code == Exit.OK
        assert _state(id_) is ReviewState.NEEDS_REVIEW


class TestAsk:
    def test_names_the_colleague_and_settles_nothing(self, run: Run) -> None:
        id_ = _analysis()
        with db.transaction() as session:
            name = factories.account(session, Role.CURATOR).name

        asked = run("ask", id_, "--of", name, "--note", "Is it blue?")

        assert (asked.code, asked.out) == (Exit.OK, f"{id_} waits for {name}.\n")
        assert _state(id_) is ReviewState.NEEDS_SECOND
        assert "for a second opinion on wording 0 (Is it blue?)" in " ".join(
            run("show", id_).out.split()
        )

    def test_may_be_anybody(self, run: Run) -> None:
        id_ = _analysis()

        assert run("ask", f"{id_}@0", "--json").json["asked"] is None

    def test_refuses_a_wording_that_was_replaced(self, run: Run) -> None:
        assert run("ask", f"{_analysis()}@1").code == Exit.CONFLICT


class TestComment:
    def test_is_read_by_the_others(self, run: Run, sign_in: SignIn) -> None:
        id_ = _analysis()
        run("comment", id_, "Is this the [verso]?")

        sign_in(Role.REGISTRAR)

        assert "Is this the [verso]?" in run("comment", id_).out
        (said,) = run("comment", id_, "--json").json
        assert said["text"] == "Is this the [verso]?"
        assert run("comment", id_, "It is.").code == Exit.AUTH


class TestDiff:
    def test_shows_what_became_of_the_models_own_words(self, run: Run, type_in: Type) -> None:
        id_ = _analysis()
        for text in ("A green vase.", "A green jug."):
            type_in(text)
            run("amend", id_, "--file", "-")

        assert run("diff", id_).out == "A [-blue vase-]{+green jug+}.\n"
        assert run("diff", f"{id_}@1").out == "A [-blue-]{+green+} vase.\n"
        row = run("diff", id_, "--since", "1", "--json").json
        assert (row["from"], row["to"], row["edit_distance"]) == (1, 2, 4)
        assert row["changes"][1] == {"fate": "removed", "text": "vase"}

    def test_there_is_no_such_wording(self, run: Run) -> None:
        assert run("diff", f"{_analysis()}@4").code == Exit.FAILURE


class TestChanges:
    @pytest.mark.parametrize(
        ("before", "after", "shown"),
        [
            ("a b c", "a b c", "a b c"),
            ("a b", "", "[-a b-]"),
            ("", "a", "{+a+}"),
            ("one two three", "one 2 three", "one [-two-]{+2+} three"),
        ],
    )
    def test_shows_what_went_and_what_came(self, before: str, after: str, shown: str) -> None:
        assert reading.changes(before, after).plain == shown


class TestNobody:
    def test_is_told_how_to_get_a_token(
        self, settings: Settings, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert settings.token is None

        ran = runner(capsys)("review", "list")

        assert (ran.code, "PREDELLA_TOKEN" in ran.err) == (Exit.AUTH, True)


class TestTable:
    def test_counts_the_objects_that_it_does_not_name(self, run: Run) -> None:
        with db.transaction() as session:
            made = factories.analysis(session)
            within = factories.submission(session, _collection(session, made.item_id))
            factories.share(session, made, *(factories.item(session, within) for _ in range(25)))

        (line,) = run("list", "--json").lines

        assert (len(line["objects"]), line["object_count"]) == (20, 26)
        assert "and 6 more" in " ".join(run("show", line["id"]).out.split())


class TestMember:
    def test_decides_in_the_own_collection_and_sees_no_other(
        self, run: Run, join: Callable[..., None]
    ) -> None:
        own, foreign = _analysis(), _analysis()
        join(own, Role.APPROVER)

        decided = run("approve", f"{own}@0", f"{foreign}@0")

        assert decided.code == Exit.PARTIAL
        assert f"no analysis {foreign}" in decided.err
        assert (_state(own), _state(foreign)) == (ReviewState.APPROVED, ReviewState.NEEDS_REVIEW)
        assert str(foreign) not in run("list", "--json").out
        assert run("show", str(own)).code == Exit.OK
        assert run("show", str(foreign)).code == Exit.FAILURE

    def test_a_curator_of_one_collection_neither_approves_there_nor_takes_it_back(
        self, run: Run, join: Callable[..., None]
    ) -> None:
        own = _analysis()
        run("approve", f"{own}@0")
        join(own, Role.CURATOR)

        answer = run("undo", str(own))

        assert answer.code == Exit.AUTH
        assert "approver" in answer.err
        assert _state(own) is ReviewState.APPROVED
