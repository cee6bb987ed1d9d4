"""Texts that stand together in one record: of an object, of an image, or each for itself."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import groupby
from typing import TypeVar

from predella.formats.entry import (
    CatalogEntry,
    CatalogImage,
    CatalogTombstone,
    Departing,
    TextKind,
    part,
)

_Line = TypeVar("_Line")
_KINDS = tuple(TextKind)


class Unit(Enum):
    """What one record of a format is about."""

    TEXT = "text"
    OBJECT = "object"
    IMAGE = "image"

    def place(self, line: Departing) -> tuple[str, ...]:
        """Return where a line has its place in a file: what shares a record lies together."""
        number = line.object.number
        return (line.image.key, number) if self is Unit.IMAGE else (number,)

    def shared(self, line: Departing) -> str:
        """Return what the lines of one record have in common."""
        return line.image.key if self is Unit.IMAGE else line.object.number


@dataclass(frozen=True, slots=True)
class Bundle:
    """The texts of one record, and beside them what is withdrawn of it; one of them at least."""

    about: Departing
    """The newest of what stays, else of what went: its row of a manifest tells of the object."""
    entries: tuple[CatalogEntry, ...]
    """By kind of text, then by language."""
    tombstones: tuple[CatalogTombstone, ...]
    """In the same order."""

    @classmethod
    def of(cls, lines: Sequence[Departing]) -> "Bundle":
        """Return the bundle of these lines of one record, the newest of them first."""
        stays = [line for line in lines if isinstance(line, CatalogEntry)]
        gone = [line for line in lines if isinstance(line, CatalogTombstone)]
        return cls(
            (stays or gone)[0],
            tuple(sorted(stays, key=_order)),
            tuple(sorted(gone, key=_order)),
        )

    @property
    def lines(self) -> Sequence[Departing]:
        """What stands in a record that is replaced as a whole: of no text is left, that it went."""
        return self.entries or self.tombstones

    @property
    def images(self) -> Sequence[CatalogImage]:
        """What the model looked at, each once."""
        return list({line.image.sha256: line.image for line in reversed(self.lines)}.values())[::-1]


def bundled(
    lines: Iterable[_Line], unit: Unit, line: Callable[[_Line], Departing]
) -> Iterator[list[_Line]]:
    """Yield what stands in one record each; the lines come in the order of ``unit.place``."""
    if unit is Unit.TEXT:
        return ([one] for one in lines)
    return (list(these) for _, these in groupby(lines, lambda one: unit.shared(line(one))))


def _order(line: Departing) -> tuple[int, str, str]:
    return _KINDS.index(line.kind), part(line), line.language
