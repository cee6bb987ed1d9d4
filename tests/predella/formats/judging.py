"""Files of hostile data in every format, and who judges them."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from predella.formats import catalog, checking
from predella.formats.catalog import CatalogFormat
from predella.formats.checking import Schemas
from predella.formats.entry import CatalogEntry, CatalogInstitution, Departing
from tests.predella.formats import factories, hostile

SCHEMAS = os.environ.get("PREDELLA_SCHEMAS")  # noqa: TID251  (where tests find the schemas)
NUMBERS = ("SK-C/5", "../../etc", "..", "1925.12.3", "a \"b\" 'c'", "Å 1 ; | ^^", "=1+1", "?x#y%z")


def hostile_lines(form: CatalogFormat) -> Iterator[Departing]:
    """Yield entries with every hostile text everywhere, each second one withdrawn."""
    words = [text for text in hostile.TEXTS.values() if text]
    for place, text in enumerate(words):
        number = f"{NUMBERS[place % len(NUMBERS)]} {place}"
        for withdrawn in (False, True):
            entry = _hostile(text, f"{number}{'b' * withdrawn}", 2 * place + withdrawn, form)
            yield factories.tombstone(entry) if withdrawn else entry


def _hostile(text: str, number: str, place: int, form: CatalogFormat) -> CatalogEntry:
    names = ("title", "artist", "date", "medium", "dimensions", "object_uri", "credit_line")
    entry = factories.full(text, **dict.fromkeys(names, text), number=number, extra={text: text})
    kind, key = min(form.KINDS), f"{place}/{text[:40]}.tif"
    return replace(
        entry,
        wording=replace(entry.wording, kind=kind, revision_id=UUID(int=place)),
        approval=replace(entry.approval, reviewer=text[:100]),
        image=replace(entry.image, key=key, view=text[:40]),
        institution=CatalogInstitution(name=text[:100], uri=text[:100]),
    )


def written(folder: Path, name: str, lines: Iterator[Departing] | None = None) -> Path:
    """Return a file in this format; of hostile lines, unless there are others."""
    form = catalog.named(name)
    path = folder / f"{name}{form.SUFFIX}"
    with path.open("wb") as out:
        for _ in catalog.write(hostile_lines(form) if lines is None else lines, out, to=form):
            pass
    return path


def problems(path: Path, schemas: Schemas | None = None) -> list[str]:
    """Return what our own checks say, and the official schemas if there are any."""
    return [str(problem) for problem in checking.check(path, schemas=schemas)]


def official() -> Schemas:
    """Return the official schemas, or skip the test."""
    if not SCHEMAS:
        pytest.skip("PREDELLA_SCHEMAS does not name a folder with the official schemas")
    return Schemas(Path(SCHEMAS))
