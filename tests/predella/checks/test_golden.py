"""Every check against its golden file, and all of them against texts without fault."""

from collections import Counter

import pytest

from predella import checks
from predella.checks import CheckName, Context, Severity, Wording
from tests.predella.checks import golden
from tests.predella.checks.golden import Case

CASES = list(golden.cases())
CLEAN = sorted({case.text for case in CASES if case.why == "a clean paragraph"})


@pytest.mark.parametrize("case", CASES, ids=str)
def test_flags_these_words_and_no_others(case: Case) -> None:
    (check,) = [one for one in checks.CHECKS if one.name == case.check]

    found = list(check.findings(Wording(case.text), case.context))

    said = [case.text[slice(*one.span)] if one.span else None for one in found]
    assert Counter(said) == Counter(case.flagged)


def test_every_check_has_texts_that_it_must_and_must_not_flag() -> None:
    flagged = {case.check for case in CASES if case.flagged}
    passed = {case.check for case in CASES if not case.flagged}

    assert flagged == passed == set(CheckName) - {CheckName.REUSED_SENTENCE}


@pytest.mark.parametrize("text", CLEAN, ids=lambda text: text[:30])
def test_all_checks_together_are_silent_on_a_clean_paragraph(text: str) -> None:
    assert checks.run(Wording(text), Context(finish_reason="stop")) == []


def test_what_blocks_an_approval_is_only_what_no_curator_would_forgive() -> None:
    hard = {
        finding.check
        for case in CASES
        for finding in checks.run(Wording(case.text), case.context)
        if finding.severity is Severity.HARD
    }

    assert hard == {"truncated", "loop", "leak", "language", "record", "term"}
