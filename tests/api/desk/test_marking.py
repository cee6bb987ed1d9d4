from types import SimpleNamespace
from typing import Any

from api.desk.marking import Numbered, numbered, segments
from predella.checks import Severity

TEXT = "Painted in 1642 by a <master>."


def _found(*spans: tuple[int, int] | None, dismissed: bool = False) -> list[Numbered]:
    return numbered([_view(span, dismissed=dismissed) for span in spans])


def _view(span: tuple[int, int] | None, *, dismissed: bool) -> Any:
    start, end = span or (None, None)
    finding = SimpleNamespace(span_start=start, span_end=end, severity=Severity.SOFT)
    return SimpleNamespace(finding=finding, is_dismissed=dismissed)


def _shown(text: str, found: list[Numbered]) -> list[tuple[str, list[int], list[int]]]:
    return [
        (one.text, [each.number for each in one.within], [each.number for each in one.ending])
        for one in segments(text, found)
    ]


def test_a_text_without_findings_is_one_segment() -> None:
    assert _shown(TEXT, []) == [(TEXT, [], [])]


def test_an_empty_text_has_no_segment() -> None:
    assert segments("", []) == []


def test_a_passage_is_a_segment_of_its_own_and_ends_with_its_number() -> None:
    assert _shown(TEXT, _found((11, 15))) == [
        ("Painted in ", [], []),
        ("1642", [1], [1]),
        (" by a <master>.", [], []),
    ]


def test_passages_that_overlap_are_cut_where_either_begins_or_ends() -> None:
    assert _shown("abcdef", _found((0, 4), (2, 6))) == [
        ("ab", [1], []),
        ("cd", [1, 2], [1]),
        ("ef", [2], [2]),
    ]


def test_a_passage_within_another_and_one_that_is_the_same() -> None:
    assert _shown("abcdef", _found((0, 6), (2, 4), (2, 4))) == [
        ("ab", [1], []),
        ("cd", [1, 2, 3], [2, 3]),
        ("ef", [1], [1]),
    ]


def test_what_is_about_the_whole_text_marks_nothing_but_counts() -> None:
    found = _found(None, (0, 1))

    assert [one.number for one in found] == [1, 2]
    assert _shown("ab", found) == [("a", [2], [2]), ("b", [], [])]


def test_a_dismissed_finding_is_neither_marked_nor_numbered() -> None:
    assert _found((0, 1), dismissed=True) == []
