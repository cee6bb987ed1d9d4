"""What a finding says in another language, and that nothing is lost or made up on the way."""

from dataclasses import replace
from http import HTTPStatus
from string import Formatter

import pytest
from babel.messages.pofile import read_po
from fastapi.testclient import TestClient

from api.desk import languages, sentences
from predella import checks, db
from predella.checks import BY_NAME, CHECKS, CheckName, Context, Picture, Term, Wording
from predella.models import Finding
from predella.services import checkups
from tests import factories
from tests.predella.checks import golden

_EVERY = [
    (case.text, finding)
    for case in golden.cases()
    for finding in BY_NAME[CheckName(case.check)].findings(Wording(case.text), case.context)
]


def _kept(found: checks.Finding) -> Finding:
    start, end = found.span or (None, None)
    return Finding(
        check_name=found.check,
        sentence=found.sentence,
        evidence=dict(found.evidence),
        span_start=start,
        span_end=end,
    )


def _dutch(text: str, **around: object) -> list[str]:
    found = checks.run(Wording(text), Context(**around))  # type: ignore[arg-type]
    return [sentences.of("nl", _kept(one), text) for one in found if one.check != "length"]


def _gaps(sentence: str) -> set[tuple[str | None, str | None]]:
    return {(name, spec) for _, name, spec, _ in Formatter().parse(sentence) if name}


class TestOf:
    @pytest.mark.parametrize(("text", "found"), _EVERY)
    def test_says_all_that_checks_find_in_both_languages(
        self, text: str, found: checks.Finding
    ) -> None:
        english, dutch = (sentences.of(one, _kept(found), text) for one in ("en", "nl"))

        assert english == found.sentence
        assert dutch != english

    def test_writes_numbers_colours_and_languages_as_the_language_does(self) -> None:
        pale = Picture(1_200, 900, {"colours": {"green": 0.0012}, "chroma_95th": 30})

        assert _dutch("The sky is green.", picture=pale) == [
            "0,1% van de afbeelding zou groen genoemd kunnen worden."
        ]
        assert _dutch("A square format.", picture=pale) == [
            "De afbeelding heeft 1.200 x 900 pixels."
        ]
        english = "In the foreground a man walks with his dog along the edge of a lake. "
        assert _dutch(english + factories.TEXT, language="nl") == [
            "De tekst lijkt in het Engels te zijn, niet in het Nederlands."
        ]

    def test_takes_the_words_of_a_museum_as_they_are(self) -> None:
        term = Term(("vase",), forbidden=False, why="Too {plain} in the 1.5 guide.", instead="urn")

        assert _dutch("A vase stands.", terms=(term,)) == [
            "De woordenlijst raadt “vase” af. Too {plain} in the 1.5 guide. In plaats daarvan: urn."
        ]
        assert _dutch("A vase stands.", terms=(Term(("vase",), forbidden=True),)) == [
            "De woordenlijst verbiedt “vase”."
        ]

    @pytest.mark.parametrize("evidence", [{}, {"kind": "year"}, {"kind": "decade"}])
    def test_what_an_earlier_check_said_stays_as_it_was_said(
        self, evidence: dict[str, object]
    ) -> None:
        text, sentence = "In 1642 it was dark.", "“1642” is a year."
        (found,) = (one for one in checks.run(Wording(text), Context()) if one.check == "date")
        kept = _kept(replace(found, sentence=sentence, evidence=evidence))

        assert sentences.of("nl", kept, text) == sentence


class TestCatalogue:
    def test_has_the_same_gaps_to_fill(self) -> None:
        with languages.catalogue("nl").open("rb") as file:
            dutch = {one.id: one.string for one in read_po(file, locale="nl")}

        for check in CHECKS:
            for sentence in {one for saying in check.says.values() for one in saying}:
                assert _gaps(str(dutch[sentence])) == _gaps(sentence)


class TestPage:
    def test_shows_findings_in_the_language_of_who_reads(self, curator: TestClient) -> None:
        with db.transaction() as session:
            made = factories.analysis(session, text="In 1642 the light fell. " + factories.TEXT)
            checkups.run(session, [factories.newest_revision(session, made).id])
            path = f"/desk/analyses/{made.id}"

        shown = curator.get(path, headers={"Accept-Language": "nl"})

        assert shown.status_code == HTTPStatus.OK
        assert "“1642” is een datum; die is in de afbeelding niet te zien." in shown.text
        assert "“1642” is a date" in curator.get(path).text
