"""The languages of the pages: which is chosen, and that none has a gap."""

from http import HTTPStatus
from typing import get_args

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from fastapi.testclient import TestClient

from api.desk import languages, rendering
from predella.checks import CHECKS, hue
from predella.services.preferences import Language

_TRANSLATED = [one for one in get_args(Language) if one != languages.SOURCE]
_DUTCH = {"Accept-Language": "fr;q=0.1, nl-NL, en;q=0.5"}


def _said() -> set[str | tuple[str, ...]]:
    """Return what the templates and the checks say, in the language that they are written in."""
    found = extract_from_dir(
        rendering.TEMPLATES,
        [("**.html", "jinja2")],
        {"**.html": {"silent": "false", "trim_blocks": "true", "lstrip_blocks": "true"}},
    )
    shown = {
        message[:2] if isinstance(message, tuple) else message for _, _, message, _, _ in found
    }
    sayings = {one for check in CHECKS for saying in check.says.values() for one in saying}
    return {*shown, *sayings, *hue.NAMES}


class TestChosen:
    @pytest.mark.parametrize(
        ("preferred", "accepted", "language"),
        [
            (None, "", "en"),
            (None, "nl-BE,fr;q=0.5", "nl"),
            (None, "xx, *;q=0.1", "en"),
            ("en", "nl", "en"),
            ("nl", "en", "nl"),
        ],
    )
    def test_is_the_own_choice_then_what_the_browser_accepts(
        self, preferred: str | None, accepted: str, language: str
    ) -> None:
        assert languages.chosen(preferred, accepted) == language


class TestCatalogue:
    @pytest.mark.parametrize("language", _TRANSLATED)
    def test_says_all_that_the_pages_say_and_nothing_else(self, language: str) -> None:
        with languages.catalogue(language).open("rb") as file:
            written = [one for one in read_po(file, locale=language) if one.id]

        complete = {
            one.id
            for one in written
            if not one.fuzzy
            and all(one.string if isinstance(one.string, (tuple, list)) else [one.string])
        }

        assert _said() - complete == set()
        assert {one.id for one in written} - _said() == set()

    @pytest.mark.parametrize("language", _TRANSLATED)
    def test_has_the_same_gaps_to_fill(self, language: str) -> None:
        with languages.catalogue(language).open("rb") as file:
            faults = [
                (one.id, fault) for one in read_po(file, locale=language) for fault in one.check()
            ]

        assert faults == []


class TestPages:
    def test_are_in_the_language_that_the_browser_asks_for(self, curator: TestClient) -> None:
        shown = curator.get("/desk/submissions", headers=_DUTCH)

        assert '<html lang="nl">' in shown.text
        assert "<h1>Inzendingen</h1>" in shown.text

    def test_are_in_the_language_that_the_account_chose(self, curator: TestClient) -> None:
        chosen = {"language": "nl", "single_keys": "true"}

        answer = curator.post("/desk/me/preferences", data=chosen, follow_redirects=False)

        assert answer.status_code == HTTPStatus.SEE_OTHER
        assert '<html lang="nl">' in curator.get("/desk/exports").text
