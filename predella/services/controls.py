"""Control items: known-bad texts left in the queue, to see whether review finds them.

To whoever reviews, a control looks like any other text. Only figures of a whole collection are
told, never of a person. A wording seeded as a control never leaves, whatever is decided on it.
"""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from predella import clock
from predella.errors import ConflictError, NotFoundError
from predella.ids import AnalysisId, CollectionId, ControlId
from predella.models import (
    Account,
    Analysis,
    Client,
    Control,
    Decision,
    LotMember,
    LotState,
    RejectionReason,
    Review,
    ReviewState,
    Revision,
    Standing,
)
from predella.services import reviews


@dataclass(frozen=True)
class Detection:
    """How many control items of a collection were found."""

    seeded: int
    caught: int
    """Rejected, amended, or sent for a new text."""
    missed: int
    """Approved as they were."""

    @property
    def waiting(self) -> int:
        """Nobody but who seeded them has decided on these."""
        return self.seeded - self.caught - self.missed

    @property
    def rate(self) -> float | None:
        """The share that was caught of those decided; none while none is."""
        decided = self.caught + self.missed
        return self.caught / decided if decided else None


def seed(
    session: Session, analysis_id: AnalysisId, *, expected: RejectionReason, account: Account
) -> Control:
    """Leave a text that is known to be bad in the queue, as a control item.

    Raises:
        NotFoundError: there is no such analysis.
        ConflictError: it is one already, is decided, or is a member of an open lot.
    """
    analysis = session.get(Analysis, analysis_id, with_for_update=True)
    if analysis is None:
        raise NotFoundError("analysis", analysis_id)
    _require_free(session, analysis_id)
    wording = session.scalars(
        select(Revision)
        .filter_by(analysis_id=analysis_id)
        .order_by(Revision.number.desc())
        .limit(1)
    ).one()
    control = Control(
        analysis_id=analysis_id,
        revision_id=wording.id,
        revision_sha256=wording.sha256,
        expected=expected,
        account_id=account.id,
    )
    session.add(control)
    session.flush()
    return control


def reveal(session: Session, control_id: ControlId, *, account: Account, client: Client) -> Control:
    """Say openly that a text was a control item, and reopen it where it was approved as it was.

    The wording stays barred from every catalog; amended, the text may leave. Said twice it is
    said once.

    Raises:
        NotFoundError: there is no such control.
    """
    control = session.get(Control, control_id)
    if control is None:
        raise NotFoundError("control", control_id)
    session.get(Analysis, control.analysis_id, with_for_update=True)
    newest = session.scalar(
        select(Review)
        .filter_by(analysis_id=control.analysis_id)
        .order_by(Review.number.desc())
        .limit(1)
    )
    if newest is not None and _is_miss(control.revision_sha256, newest):
        reviews.undo(session, AnalysisId(control.analysis_id), account=account, client=client)
    control.revealed_at = control.revealed_at or clock.now()
    session.flush()
    return control


def caught(session: Session, collection_id: CollectionId) -> Detection:
    """Return how many control items of a collection were found: the first decision counts."""
    first = (
        select(Control.id, Control.revision_sha256, Review)
        .ext(distinct_on(Control.id))
        .join(Standing, Standing.analysis_id == Control.analysis_id)
        .outerjoin(
            Review,
            (Review.analysis_id == Control.analysis_id)
            & (Review.created_at >= Control.created_at)
            & (Review.account_id != Control.account_id)
            & Review.decision.in_([one for one in Decision if one.settles]),
        )
        .where(Standing.collection_id == collection_id)
        .order_by(Control.id, Review.number)
    )
    rows = session.execute(first).all()
    decided = [(row[1], row[2]) for row in rows if row[2] is not None]
    missed = sum(_is_miss(sha256, review) for sha256, review in decided)
    return Detection(seeded=len(rows), caught=len(decided) - missed, missed=missed)


def _is_miss(known_bad: bytes, review: Review) -> bool:
    return review.decision is Decision.APPROVED and review.revision_sha256 == known_bad


def _require_free(session: Session, analysis_id: UUID) -> None:
    if session.scalar(select(Control.id).filter_by(analysis_id=analysis_id)) is not None:
        raise ConflictError(f"analysis {analysis_id} is a control item already")
    state = session.scalar(select(Standing.state).filter_by(analysis_id=analysis_id))
    if state is not ReviewState.NEEDS_REVIEW:
        raise ConflictError(f"analysis {analysis_id} is {state}; a control item is undecided")
    in_lot = select(LotMember.lot_id).filter_by(analysis_id=analysis_id, lot_state=LotState.OPEN)
    if session.scalar(in_lot) is not None:
        raise ConflictError(f"analysis {analysis_id} is a member of an open lot")
