from dataclasses import replace

import pytest

from predella.formats.bundle import Bundle, Unit, bundled
from predella.formats.entry import CatalogEntry, Departing, TextKind
from tests.predella.formats import factories


def named(number: str, key: str) -> CatalogEntry:
    entry = factories.full(number=number)
    return replace(entry, image=replace(entry.image, key=key))


def itself(line: Departing) -> Departing:
    return line


class TestBundle:
    def test_has_its_texts_by_kind_and_language_whatever_came_first(self) -> None:
        alt, formal = factories.of_kind(TextKind.ALT_TEXT), factories.full("A vase.")
        dutch = factories.in_language(formal, "nl", "Een vaas.")

        made = Bundle.of([dutch, alt, formal])

        assert made.entries == (formal, dutch, alt)
        assert made.about == dutch

    def test_is_about_what_stays_rather_than_what_went(self) -> None:
        stays = factories.full("A vase.", title="New")
        gone = factories.tombstone(factories.of_kind(TextKind.ALT_TEXT))

        assert Bundle.of([gone, stays]).about == stays
        assert Bundle.of([gone, stays]).lines == (stays,)
        assert Bundle.of([gone]).lines == (gone,)

    def test_has_an_image_once_under_whatever_key(self) -> None:
        first = factories.full()
        moved = replace(first, image=replace(first.image, key="moved.tif"))
        other = replace(first, image=replace(first.image, sha256="34" * 32))

        assert list(Bundle.of([first, moved, other]).images) == [first.image, other.image]


class TestBundled:
    @pytest.mark.parametrize(
        ("unit", "sizes"), [(Unit.TEXT, [1, 1, 1]), (Unit.OBJECT, [2, 1]), (Unit.IMAGE, [1, 2])]
    )
    def test_puts_together_what_shares_a_record(self, unit: Unit, sizes: list[int]) -> None:
        lines = [named("1", "a.jpg"), named("1", "b.jpg"), named("2", "b.jpg")]

        together = list(bundled(lines, unit, itself))

        assert [len(one) for one in together] == sizes
        assert lines == sorted(lines, key=unit.place)
