"""Checkups: the automatic checks, run on wordings in the transaction that writes them."""

from collections import defaultdict
from collections.abc import Collection as Ids
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Uuid, bindparam, insert, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from predella import checks, clock, ids
from predella.checks import Context, Finding, Picture, Record, Thresholds, Wording
from predella.models import Checkup, Collection
from predella.models import Finding as FindingRow
from predella.services import glossaries, imprints
from predella.services.imprints import Imprinted

_UUIDS = ARRAY(Uuid)
_SITTER = ("sitter", "x_sitter", "depicted", "x_depicted")
"""Columns of a team's own that may name who is portrayed."""

_WORDINGS = text("""
    SELECT revision.id, revision.sha256, revision.text, revision.analysis_id,
        CASE WHEN 0 IN (revision.number, revision.restores_number)
            THEN analysis.finish_reason END AS finish_reason,
        analysis.language, analysis.rendered_prompt, prompt.kind, image.collection_id,
        image.width, image.height, image.facts,
        (SELECT count(*) FROM checkup WHERE checkup.revision_id = revision.id) AS number
    FROM revision JOIN analysis ON analysis.id = revision.analysis_id
    JOIN image ON image.id = analysis.image_id
    JOIN release ON release.id = analysis.release_id
    JOIN prompt ON prompt.id = release.prompt_id
    WHERE revision.id = ANY(:revision_ids)
    ORDER BY revision.analysis_id
""").bindparams(bindparam("revision_ids", type_=_UUIDS))

# A placeholder picture may stand for ten thousand objects; twenty are enough.
_RECORDS = text("""
    SELECT wanted.id, shown.artist, shown.title, shown.dimensions, shown.extra
    FROM unnest(:analysis_ids) wanted (id)
    CROSS JOIN LATERAL (
        SELECT artist, title, dimensions, extra FROM item WHERE item.analysis_id = wanted.id
        ORDER BY object_number, id LIMIT 20
    ) shown
""").bindparams(bindparam("analysis_ids", type_=_UUIDS))


@dataclass(frozen=True)
class Suite:
    """What is checked in one collection today."""

    thresholds: Thresholds
    digest: str


def run(session: Session, revision_ids: Sequence[UUID]) -> None:
    """Run the checks on these wordings, and write down what they find."""
    rows = session.execute(_WORDINGS, {"revision_ids": revision_ids}).all()
    if not rows:
        return
    suites = suites_of(session, {row.collection_id for row in rows})
    wordings = {row.analysis_id: Wording(row.text) for row in rows}
    contexts = _contexts(session, rows, wordings, suites)
    checked = [
        (_checkup(row, suites[row.collection_id]), found)
        for row in rows
        for found in [checks.run(wordings[row.analysis_id], contexts[row.analysis_id])]
    ]
    session.execute(insert(Checkup), [checkup for checkup, _ in checked])
    findings = [_finding(checkup, one) for checkup, found in checked for one in found]
    if findings:
        session.execute(insert(FindingRow), findings)


def suites_of(session: Session, collection_ids: Ids[UUID]) -> dict[UUID, Suite]:
    """Return what is checked today, by collection."""
    chosen = session.execute(
        select(Collection.id, Collection.thresholds).where(Collection.id.in_(collection_ids))
    )
    lists = glossaries.newest(session, collection_ids)
    return {id_: _suite(Thresholds.model_validate(said), lists[id_]) for id_, said in chosen}


def _suite(thresholds: Thresholds, lists: Mapping[str, int]) -> Suite:
    named = [f"{name} {version}" for name, version in lists.items()]
    return Suite(thresholds, checks.suite(thresholds, named))


def _contexts(
    session: Session,
    rows: Sequence[Row[Any]],
    wordings: Mapping[UUID, Wording],
    suites: Mapping[UUID, Suite],
) -> dict[UUID, Context]:
    records = _records(session, list(wordings))
    marked = [_imprinted(row, wordings[row.analysis_id], suites) for row in rows]
    # First all, then each: two that are alike and come together see each other.
    imprints.keep(session, marked)
    alike, reuse = imprints.lookalikes(session, marked), imprints.reuse(session, marked)
    terms = glossaries.terms(
        session, [(row.collection_id, row.language, wordings[row.analysis_id]) for row in rows]
    )
    return {
        row.analysis_id: Context(
            language=row.language,
            kind=row.kind,
            finish_reason=row.finish_reason,
            prompt=row.rendered_prompt,
            records=records[row.analysis_id],
            picture=Picture(row.width, row.height, row.facts),
            thresholds=suites[row.collection_id].thresholds,
            terms=terms[row.collection_id, row.language],
            lookalikes=alike.get(row.analysis_id, ()),
            reuse=reuse.get(row.analysis_id, {}),
        )
        for row in rows
    }


def _imprinted(row: Row[Any], wording: Wording, suites: Mapping[UUID, Suite]) -> Imprinted:
    reused_in = suites[row.collection_id].thresholds.reused_in
    return Imprinted(row.analysis_id, row.collection_id, wording, reused_in)


def _records(session: Session, analysis_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[Record]]:
    found = defaultdict[UUID, dict[Record, None]](dict)
    for row in session.execute(_RECORDS, {"analysis_ids": analysis_ids}):
        sitter = next((row.extra[name] for name in _SITTER if name in row.extra), None)
        found[row.id][Record(row.artist, row.title, sitter, row.dimensions)] = None
    return defaultdict(tuple, {id_: tuple(records) for id_, records in found.items()})


def _checkup(row: Row[Any], suite: Suite) -> dict[str, Any]:
    return {
        "id": ids.new(),
        "created_at": clock.now(),
        "analysis_id": row.analysis_id,
        "revision_id": row.id,
        "revision_sha256": row.sha256,
        "number": row.number,
        "suite": suite.digest,
    }


def _finding(checkup: Mapping[str, Any], finding: Finding) -> dict[str, Any]:
    start, end = finding.span or (None, None)
    return {
        "id": ids.new(),
        "created_at": clock.now(),
        "checkup_id": checkup["id"],
        "analysis_id": checkup["analysis_id"],
        "check_name": finding.check,
        "version": finding.version,
        "severity": finding.severity,
        "span_start": start,
        "span_end": end,
        "sentence": finding.sentence,
        "evidence": dict(finding.evidence),
        "fingerprint": finding.fingerprint,
    }
