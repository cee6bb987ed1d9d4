"""Resampling: one item of a superseded text goes back to the model, and all others follow it.

While the new text is awaited every item keeps the old one, so that nothing that was handed in
looks less far than it had come.
"""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy import Uuid, bindparam, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session, aliased

from predella import queue
from predella.checks import CheckName
from predella.errors import NotShownError, ReplacedError, TooManySamplesError
from predella.ids import AnalysisId, ItemId
from predella.models import (
    Analysis,
    Image,
    Item,
    ItemState,
    Outcome,
    Regeneration,
    RegenerationState,
    Release,
    Review,
)
from predella.services import ledger

MAX_SAMPLES = 5
"""New texts for one question about one image."""
_UUIDS = ARRAY(Uuid)
_LIVE = [RegenerationState.WAITING, RegenerationState.WRITTEN]

_ASK = text("""
    UPDATE item SET state = 'waiting', attempt = 0, next_attempt_at = now(), finished_at = NULL
    WHERE id = :id
""").bindparams(bindparam("id", type_=Uuid))

# Also out of the hand of a worker, whose text is dropped then.
_CALL_BACK = text("""
    UPDATE item SET stage = 'analyze', state = 'done', finished_at = now(),
        error_code = NULL, error = NULL,
        lease_token = NULL, lease_owner = NULL, lease_until = NULL
    WHERE id = :id
""").bindparams(bindparam("id", type_=Uuid))

_ARRIVE = text("""
    UPDATE regeneration SET state = 'written', replaced_by_id = item.analysis_id
    FROM item
    WHERE item.id = ANY(:ids) AND regeneration.item_id = item.id AND regeneration.state = 'waiting'
    RETURNING regeneration.analysis_id, regeneration.replaced_by_id
""").bindparams(bindparam("ids", type_=_UUIDS))

# A statement of its own: it sees what came to share the old text while it waited for the lock.
_FOLLOW = text("""
    UPDATE item SET analysis_id = moved.new
    FROM unnest(:old, :new) AS moved (old, new)
    WHERE item.analysis_id = moved.old
""").bindparams(bindparam("old", type_=_UUIDS), bindparam("new", type_=_UUIDS))


def put_in(session: Session, review: Review, without: Sequence[CheckName] = ()) -> Regeneration:
    """Let a worker write another sample in place of what this review supersedes.

    Sentences on which the checks ``without`` speak are left out of it (`services.omissions`).

    Raises:
        NotShownError: no item has this text any more.
        TooManySamplesError: there were five for this image already.
    """
    analysis = session.get_one(Analysis, review.analysis_id)
    # Two texts about one image must not be given one number.
    session.get(Image, analysis.image_id, with_for_update={"key_share": True})
    item = _one_of(session, AnalysisId(analysis.id))
    wish = Regeneration(
        review_id=review.id,
        analysis_id=analysis.id,
        image_id=analysis.image_id,
        item_id=item.id,
        without=list(without),
        sample=_next_sample(session, analysis),
    )
    session.add(wish)
    session.flush()
    session.execute(_ASK, {"id": item.id})
    session.expire(item)
    queue.ring_after_commit(session, queue.ANALYZE)
    return wish


def held(session: Session, review: Review) -> Regeneration:
    """Return what this review asked for; it stays as it is until the transaction ends.

    Raises:
        ReplacedError: nothing was asked for; an earlier text was taken up again.
    """
    wish = session.scalars(select(Regeneration).filter_by(review_id=review.id)).first()
    if wish is None:
        raise ReplacedError(review.analysis_id)
    # Analyses before items, items before wishes: as those do who ask, and those who write.
    if wish.replaced_by_id is not None:
        session.get(Analysis, wish.replaced_by_id, with_for_update=True)
    session.get(Item, wish.item_id, with_for_update=True)
    session.refresh(wish, with_for_update=True)
    return wish


def take_back(session: Session, wish: Regeneration) -> None:
    """Let the old text stand again: nothing new is written, or what was written gives way."""
    if wish.replaced_by_id is None:
        _call_back(session, ItemId(wish.item_id))
        wish.state = RegenerationState.WITHDRAWN
    else:
        _move(session, {wish.replaced_by_id: wish.analysis_id})
        wish.state = RegenerationState.RETURNED
    session.flush()


def arrived(session: Session, item_ids: Collection[ItemId]) -> None:
    """Put the new texts of these items, if any was awaited, in the place of the old ones."""
    rows = session.execute(_ARRIVE, {"ids": list(item_ids)})
    _move(session, {row.analysis_id: row.replaced_by_id for row in rows})


def standing(session: Session, analysis_ids: Mapping[UUID, AnalysisId]) -> dict[UUID, AnalysisId]:
    """Return, under the same keys, the texts that stand in the place of these by now.

    What is found stands so until the transaction ends: a new text that arrives waits.
    """
    found = dict(analysis_ids)
    while replaced := _replaced(session, set(found.values())):
        found = {key: replaced.get(id_, id_) for key, id_ in found.items()}
    return found


def _replaced(session: Session, analysis_ids: Collection[UUID]) -> dict[UUID, AnalysisId]:
    live = session.execute(
        select(Regeneration.analysis_id, Regeneration.replaced_by_id)
        .where(Regeneration.analysis_id.in_(analysis_ids), Regeneration.state.in_(_LIVE))
        .order_by(Regeneration.id)
        .with_for_update(read=True)
    )
    return {old: AnalysisId(new) for old, new in live if new is not None}


def _one_of(session: Session, analysis_id: AnalysisId) -> Item:
    item = session.scalars(
        select(Item)
        .where(Item.analysis_id == analysis_id, Item.state == ItemState.DONE)
        .order_by(Item.id)
        .limit(1)
        .with_for_update()
    ).first()
    if item is None:
        raise NotShownError(analysis_id)
    return item


def _next_sample(session: Session, analysis: Analysis) -> int:
    """Return the next number among the texts that answer this question about this image."""
    asked = session.get_one(Release, analysis.release_id).prompt_id
    old = aliased(Analysis)
    wished = (
        select(func.max(Regeneration.sample))
        .join(old, old.id == Regeneration.analysis_id)
        .join(Release, Release.id == old.release_id)
        .where(
            Regeneration.image_id == analysis.image_id,
            Release.prompt_id == asked,
            Regeneration.state != RegenerationState.WITHDRAWN,
        )
    )
    number = (session.scalar(wished) or 0) + 1
    if number > MAX_SAMPLES:
        raise TooManySamplesError(analysis.id, most=MAX_SAMPLES)
    return number


def _call_back(session: Session, item_id: ItemId) -> None:
    ledger.close(session, [item_id], Outcome.RELEASED)
    session.execute(_CALL_BACK, {"id": item_id})


def _move(session: Session, moved: Mapping[UUID, UUID]) -> None:
    session.execute(_FOLLOW, {"old": list(moved), "new": list(moved.values())})
