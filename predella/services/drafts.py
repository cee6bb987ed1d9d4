"""Drafts: what an engine wrote, on the way to becoming analyses."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from predella import ids
from predella.formats.text import normalise
from predella.ids import AnalysisId, ItemId, ReleaseId
from predella.models import Analysis, FinishReason, Outcome, Revision
from predella.services import checkups, ledger, omissions, resampling
from predella.services.ledger import Claimed

_UUIDS = ARRAY(Uuid)


@dataclass(frozen=True)
class Draft:
    """One text for one image, with everything that an analysis records about its making."""

    item: Claimed
    text: str
    rendered_prompt: str
    model_sha256: bytes
    """Of the very picture that the model was given."""
    finish_reason: FinishReason
    prompt_tokens: int
    output_tokens: int
    mean_logprob: float
    min_window_logprob: float
    seed: int | None
    batch_size: int
    device: str
    worker: str
    timings: dict[str, float]


_DONE = text("""
    UPDATE item SET state = 'done', analysis_id = written.analysis_id, finished_at = now(),
        lease_token = NULL, lease_owner = NULL, lease_until = NULL
    FROM unnest(:ids, :analysis_ids) AS written (id, analysis_id)
    WHERE item.id = written.id
""").bindparams(bindparam("ids", type_=_UUIDS), bindparam("analysis_ids", type_=_UUIDS))


def record(
    session: Session,
    drafts: Sequence[Draft],
    *,
    release_id: ReleaseId,
    duplicates: Sequence[Claimed] = (),
) -> set[ItemId]:
    """End the analyze stage of these items; return those that were still the caller's.

    All are asked the same, and for the same sample.

    Whoever wrote first for an image and a release wins: every other item of that image,
    here or in another process, is given the same analysis. ``duplicates`` are such items
    in the caller's hand: where the lease on a draft's own item was lost, one of them takes
    its place.
    """
    held = [*(draft.item for draft in drafts), *duplicates]
    mine = ledger.lock(session, held)
    items = [item for item in held if item.id in mine]
    first = {item.picture.id: item for item in reversed(items)}
    ours = [draft for draft in drafts if draft.item.picture.id in first]
    ours = [replace(one, item=first[one.item.picture.id]) for one in ours]
    written = _insert(session, ours, release_id)
    _link(session, items, _written(session, items, release_id))
    # Not before: they look at the records of the items, too.
    checkups.run(session, written)
    if _sample(items):
        omissions.leave_out(session, written)
    return mine


def link_known(session: Session, held: Sequence[Claimed], *, release_id: ReleaseId) -> set[ItemId]:
    """End those items whose image this release has analyzed already, and return them.

    All are asked the same, and for the same sample.
    """
    known = _written(session, held, release_id)
    if not known:
        return set()
    mine = ledger.lock(session, [item for item in held if item.picture.id in known])
    _link(session, [item for item in held if item.id in mine], known)
    return mine


def _insert(session: Session, drafts: Sequence[Draft], release_id: ReleaseId) -> list[UUID]:
    """Insert analyses, always in the same order of images; return their first wordings' ids."""
    by_image = {draft.item.picture.id: draft for draft in drafts}
    rows = [_analysis(by_image[image_id], release_id) for image_id in sorted(by_image)]
    if not rows:
        return []
    inserted = session.execute(
        insert(Analysis)
        .values(rows)
        .on_conflict_do_nothing(index_elements=["image_id", "release_id", "sample"])
        .returning(Analysis.id, Analysis.text)
    )
    wordings = [_wording(AnalysisId(id_), raw) for id_, raw in inserted]
    if wordings:
        session.execute(insert(Revision), wordings)
    return [wording["id"] for wording in wordings]


def _analysis(draft: Draft, release_id: ReleaseId) -> dict[str, object]:
    return {
        "id": ids.new(),
        "image_id": draft.item.picture.id,
        "release_id": release_id,
        "sample": draft.item.sample,
        "item_id": draft.item.id,
        "lease_token": draft.item.token,
        "language": draft.item.language,
        "text": draft.text.replace("\x00", ""),
        "rendered_prompt": draft.rendered_prompt,
        "model_sha256": draft.model_sha256,
        "finish_reason": draft.finish_reason,
        "prompt_tokens": draft.prompt_tokens,
        "output_tokens": draft.output_tokens,
        "mean_logprob": draft.mean_logprob,
        "min_window_logprob": draft.min_window_logprob,
        "seed": draft.seed,
        "batch_size": draft.batch_size,
        "device": draft.device,
        "worker": draft.worker,
        "timings": draft.timings,
    }


def _wording(analysis_id: AnalysisId, raw: str) -> dict[str, Any]:
    wording = normalise(raw)
    return {
        "id": ids.new(),
        "analysis_id": analysis_id,
        "number": 0,
        "text": wording,
        "sha256": sha256(wording.encode()).digest(),
    }


def _written(
    session: Session, items: Sequence[Claimed], release_id: ReleaseId
) -> dict[UUID, AnalysisId]:
    """Return, by image, what this release wrote, or what stands in its place by now."""
    sample = _sample(items)
    rows = session.execute(
        select(Analysis.image_id, Analysis.id).where(
            Analysis.image_id.in_({item.picture.id for item in items}),
            Analysis.release_id == release_id,
            Analysis.sample == sample,
        )
    )
    found = {image_id: AnalysisId(id_) for image_id, id_ in rows}
    return found if sample else resampling.standing(session, found)


def _sample(items: Sequence[Claimed]) -> int:
    return items[0].sample if items else 0


def _link(session: Session, items: Sequence[Claimed], written: dict[UUID, AnalysisId]) -> None:
    ledger.close(session, [item.id for item in items], Outcome.DONE)
    session.execute(
        _DONE,
        {
            "ids": [item.id for item in items],
            "analysis_ids": [written[item.picture.id] for item in items],
        },
    )
    if _sample(items):
        resampling.arrived(session, [item.id for item in items])
