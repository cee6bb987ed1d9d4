"""Items: the images of a submission, how far they have come, and trying again."""

from collections.abc import Collection as Codes
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, case, func, select, update
from sqlalchemy.orm import Session

from predella import queue
from predella.errors import InvalidError
from predella.ids import CollectionId, ItemId, SubmissionId
from predella.models import Item, ItemState, Stage, Submission

_APART = (ItemState.FAILED, ItemState.WITHHELD, ItemState.HELD, ItemState.WITHDRAWN)
HAND_IN_AGAIN = ("source_changed",)
"""Codes of failures that only a new hand-in can mend."""


@dataclass(frozen=True)
class Progress:
    """How far the items of a submission have come; what is counted once is in one field."""

    preparing: int = 0
    """Waiting to be prepared, or being prepared."""
    analyzing: int = 0
    """Prepared, and waiting to be analyzed or being analyzed."""
    analyzed: int = 0
    kept: int = 0
    """Further views of an object: prepared, and nothing more is to be done."""
    failed: int = 0
    withheld: int = 0
    held: int = 0
    """Behind a preview, until they are released."""
    withdrawn: int = 0

    @property
    def total(self) -> int:
        """All items."""
        return self.done + self.failed + self.running + self.held

    @property
    def done(self) -> int:
        """Those that are as far as they are to come."""
        return self.analyzed + self.kept + self.withheld + self.withdrawn

    @property
    def running(self) -> int:
        """Those that are still to be worked on."""
        return self.preparing + self.analyzing

    @property
    def prepared(self) -> int:
        """Those that have been prepared, whatever came after."""
        return self.analyzing + self.analyzed + self.kept


@dataclass(frozen=True)
class Failure:
    """Everything that failed for one reason."""

    code: str
    count: int
    example: str
    """The sentence of one of them."""


def progress(session: Session, submission_id: SubmissionId) -> Progress:
    """Count the items of a submission by how far they have come."""
    fate = case(
        (Item.state.in_(_APART), Item.state),
        (Item.analysis_id.is_not(None), "analyzed"),
        (Item.state == ItemState.DONE, "kept"),
        (Item.stage == Stage.PREPARE, "preparing"),
        else_="analyzing",
    )
    counts = select(fate, func.count()).where(Item.submission_id == submission_id).group_by(fate)
    return Progress(**dict(session.execute(counts).all()))


def failures(session: Session, submission_id: SubmissionId) -> Sequence[Failure]:
    """Return why items failed, the most frequent reason first."""
    count = func.count().label("count")
    rows = session.execute(
        select(Item.error_code, count, func.min(Item.error))
        .where(Item.submission_id == submission_id, Item.state == ItemState.FAILED)
        .group_by(Item.error_code)
        .order_by(count.desc(), Item.error_code)
    )
    return [Failure(code or "", number, sentence or "") for code, number, sentence in rows]


def listed(
    session: Session,
    *,
    submission_id: SubmissionId | None = None,
    collection_id: CollectionId | None = None,
    state: ItemState | None = None,
    after: UUID | None = None,
    limit: int = 50,
) -> Sequence[Item]:
    """Return items in the order in which they were handed in."""
    query = select(Item).order_by(Item.id).limit(limit)
    query = query.where(*_among(submission_id, collection_id, state))
    return session.scalars(query.where(Item.id > after) if after else query).all()


def requeue(
    session: Session,
    *,
    submission_id: SubmissionId | None = None,
    item_ids: Codes[ItemId] | None = None,
    codes: Codes[str] | None = None,
) -> int:
    """Let failed items be tried again from the stage they failed in; return how many.

    Items whose file has changed are left: they have to be handed in again. So are items that
    the museum's gates keep from the model, and those of a submission that was withdrawn.

    Raises:
        InvalidError: neither a submission nor items were named.
    """
    if submission_id is None and item_ids is None:
        raise InvalidError("name a submission, or items, to try again")
    chosen = [
        Item.state == ItemState.FAILED,
        Item.error_code.not_in(HAND_IN_AGAIN),
        Item.is_open,
        ~Item.is_beside_closed,
        ~Item.is_withdrawn,
    ]
    if submission_id is not None:
        chosen.append(Item.submission_id == submission_id)
    if item_ids is not None:
        chosen.append(Item.id.in_(item_ids))
    if codes is not None:
        chosen.append(Item.error_code.in_(codes))
    again = session.execute(
        update(Item)
        .where(*chosen)
        .values(
            state=ItemState.WAITING,
            attempt=0,
            next_attempt_at=func.now(),
            error_code=None,
            error=None,
            finished_at=None,
        )
        .returning(Item.submission_id, Item.stage)
        .execution_options(synchronize_session=False)
    ).all()
    session.execute(
        update(Submission)
        .where(Submission.id.in_({row.submission_id for row in again}))
        .values(finished_at=None)
    )
    stages = {row.stage for row in again}
    for stage, task in ((Stage.PREPARE, queue.PREPARE), (Stage.ANALYZE, queue.ANALYZE)):
        if stage in stages:
            queue.ring_after_commit(session, task)
    return len(again)


def _among(
    submission_id: SubmissionId | None,
    collection_id: CollectionId | None,
    state: ItemState | None,
) -> Iterator[ColumnElement[bool]]:
    if submission_id:
        yield Item.submission_id == submission_id
    if collection_id:
        yield Item.collection_id == collection_id
    if state:
        yield Item.state == state
