"""Nothing lost, nothing twice, every line of the export valid."""

import os
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from lxml import etree
from sqlalchemy import func, select

from predella import db
from predella.models import (
    Analysis,
    Attempt,
    ExportLine,
    Item,
    ItemState,
    Outcome,
    Review,
    Revision,
)

_LIDO = "{http://www.lido-schema.org}"


def objections(count: int, export: bytes, *, besides: int) -> list[str]:
    """Return everything that is not as it must be.

    So many items went all the way, and some ``besides`` only as far as their analysis.
    """
    return [*_in_the_database(count, besides), *_in_the_export(count, export)]


def _in_the_database(count: int, besides: int) -> Iterator[str]:
    written = count + besides
    expected = {
        "items done": (select(func.count()).where(Item.state == ItemState.DONE), written),
        "items": (select(func.count()).select_from(Item), written),
        "analyses of items": (select(func.count(Item.analysis_id.distinct())), written),
        "analyses": (select(func.count()).select_from(Analysis), written),
        "wordings": (select(func.count()).select_from(Revision), written),
        "attempts": (select(func.count()).where(Attempt.outcome == Outcome.DONE), 2 * written),
        "decisions": (select(func.count()).select_from(Review), count),
        "export lines": (select(func.count()).select_from(ExportLine), count),
        "items that left": (select(func.count(ExportLine.item_id.distinct())), count),
    }
    with db.transaction() as session:
        for what, (query, right) in expected.items():
            found = session.scalar(query)
            if found != right:
                yield f"{what}: {found} instead of {right}"


def _in_the_export(count: int, export: bytes) -> Iterator[str]:
    schema = _schema()
    numbers = set()
    for _, record in etree.iterparse(BytesIO(export), tag=f"{_LIDO}lido"):
        numbers.add(record.findtext(f".//{_LIDO}workID"))
        if schema is not None and not schema.validate(record):
            yield f"{record.findtext(f'{_LIDO}lidoRecID')}: {schema.error_log}"
        record.clear()
    expected = {f"B-{number:07}" for number in range(count)}
    if numbers != expected:
        yield f"{len(expected - numbers)} objects are missing in the export"


def _schema() -> etree.XMLSchema | None:
    """Return the official schema where there is a copy of it; it is not ours to give away."""
    root = os.environ.get("PREDELLA_SCHEMAS")  # noqa: TID251  (where tests find the schemas)
    return etree.XMLSchema(etree.parse(Path(root) / "lido/lido-v1.1.xsd")) if root else None
