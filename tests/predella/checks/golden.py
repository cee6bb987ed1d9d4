"""Texts that each check must and must not flag, as its golden file has them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from predella.checks import Context, Lookalike, Picture, Record, Term, Thresholds

FOLDER = Path(__file__).with_name("golden")


@dataclass(frozen=True)
class Case:
    """One text, what the check must say of it, and why."""

    check: str
    number: int
    text: str
    flagged: list[str | None]
    """The words it must flag, in any order; None stands for the whole text."""
    why: str
    context: Context

    def __str__(self) -> str:
        return f"{self.check}-{self.number}: {self.why}"


def cases() -> Iterator[Case]:
    """Return every case of every golden file."""
    for file in sorted(FOLDER.glob("*.jsonl")):
        for number, line in enumerate(file.read_text("utf-8").splitlines(), start=1):
            row = json.loads(line)
            around = _context(row.get("context", {}))
            yield Case(file.stem, number, row["text"], row["flagged"], row["why"], around)


def _context(row: dict[str, Any]) -> Context:
    parts: dict[str, Any] = dict(row)
    if "thresholds" in row:
        parts["thresholds"] = Thresholds.model_validate(row["thresholds"])
    if "picture" in row:
        parts["picture"] = Picture(**row["picture"])
    parts["records"] = tuple(Record(**one) for one in row.get("records", ()))
    parts["lookalikes"] = tuple(Lookalike(**one) for one in row.get("lookalikes", ()))
    parts["terms"] = tuple(
        Term(**one | {"words": tuple(one["words"])}) for one in row.get("terms", ())
    )
    return Context(**parts)
