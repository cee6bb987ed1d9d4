"""Hostile words all the way: handed in, approved, exported in every format, and judged."""

import json
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from predella.formats.checking import Schemas
from predella.formats.text import normalise
from predella.ids import CollectionId
from predella.models import ExportFormat, Sensitivity, SubmissionState
from predella.services import gates, outgoing
from predella.services.gates import Change
from predella.settings import Settings, get_settings
from tests import factories
from tests.predella.formats import hostile
from tests.predella.formats.judging import NUMBERS, SCHEMAS, problems
from tests.predella.services.exporting import file, written
from tests.predella.services.hand_ins import Museum
from tests.services import Bucket

WORDS = [raw for raw in hostile.RAW.values() if normalise(raw)]
PROMPTS = ("formal-analysis/1", "alt-text/1", "long-description/1", "colour/1")
_CELLS = ("title", "artist", "date", "medium", "dimensions", "credit_line", "notes", "Räume;|")

_LONGEST_CELL = 10_000


@pytest.fixture
def museum(
    session: Session, s3: Bucket, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Museum:
    """A museum with hostile words in every cell, and every kind of text approved with them."""
    assert settings
    monkeypatch.setenv("PREDELLA_PUBLIC_URL", "https://predella.museum.example")
    get_settings.cache_clear()
    made = Museum(session, s3)
    made.collection.institution = hostile.TEXTS["markup"]
    rows = [_row(place, raw) for place, raw in enumerate(WORDS)]
    made.put(*(row["filename"] for row in rows))
    for prompt in PROMPTS:
        _write_and_approve(made, rows, prompt)
    session.commit()
    return made


def _row(place: int, raw: str) -> dict[str, str]:
    """Return a row of a manifest; what no manifest may have stands in the text alone."""
    return dict.fromkeys(_CELLS, normalise(raw)[:_LONGEST_CELL]) | {
        "object_number": f"{NUMBERS[place % len(NUMBERS)]} {place}",
        "filename": f"{place} é [1].jpg",
        "object_uri": f"https://museum.example/{place}",
        "rights_work": factories.PUBLIC_DOMAIN,
        "rights_image": "https://creativecommons.org/licenses/by/4.0/",
    }


def _write_and_approve(museum: Museum, rows: list[dict[str, str]], prompt: str) -> None:
    museum.collection.prompt_id = prompt
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    report = museum.hand_in(lines, name="manifest.jsonl")
    assert (report.state, report.accepted) == (SubmissionState.RECEIVED, len(rows)), report.refused
    by = factories.release(museum.session, prompt_id=prompt)
    for item, raw in zip(museum.items(report), WORDS, strict=True):
        made = factories.analysis(museum.session, item, text=normalise(raw), by=by)
        factories.review(museum.session, made)


def _close_some(museum: Museum) -> None:
    """Close every third object, so that a delta has to withdraw its texts."""
    id_ = CollectionId(museum.collection.id)
    numbers = {
        item.entry.object.number for item in outgoing.departures(museum.session, museum.collection)
    }
    for number in sorted(numbers)[::3]:
        to, by = Change(sensitivity=Sensitivity.RESTRICTED), factories.account(museum.session)
        gates.change(museum.session, id_, number, to, account=by, reason="]]> =1+1 \u202e")
    museum.session.commit()


@pytest.mark.parametrize("to", ExportFormat)
def test_every_file_stands_before_every_judge(
    museum: Museum, to: ExportFormat, tmp_path: Path
) -> None:
    """Before our own checks, and before the official schemas where there are any."""
    schemas = Schemas(Path(SCHEMAS)) if SCHEMAS else None
    id_, session = CollectionId(museum.collection.id), museum.session

    first = written(session, id_, museum.store, to)

    assert problems(file(first, museum.store, tmp_path), schemas) == []
    assert first.line_count % len(WORDS) == 0
    again = written(session, id_, museum.store, to)
    assert again.sha256 == first.sha256
    if to is ExportFormat.PAINTINGFORM:
        return
    _close_some(museum)
    delta = written(session, id_, museum.store, to, since=first.id)
    assert delta.withdrawn_count == delta.line_count > 0
    assert problems(file(delta, museum.store, tmp_path), schemas) == []
