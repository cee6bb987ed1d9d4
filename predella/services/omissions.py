"""Omissions: a new text comes without what had been flagged in the one that it replaces.

The model is not told. What it wrote stays as wording 0; the wording that follows leaves out each
sentence on which the named checks speak once more, and is that of whoever asked for it.
"""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from predella.checks import CheckName, Wording
from predella.checks.finding import Span
from predella.ids import AnalysisId
from predella.models import Regeneration, Review, Revision
from predella.services import findings, wordings


def flagging(session: Session, analysis_id: AnalysisId) -> Sequence[CheckName]:
    """Return the checks that speak of sentences of the newest wording, each once."""
    newest = (
        select(Revision.id)
        .filter_by(analysis_id=analysis_id)
        .order_by(Revision.number.desc())
        .limit(1)
    )
    found = _flagged(session, session.scalars(newest).all())
    return list(dict.fromkeys(check for check, _ in found))


def leave_out(session: Session, revision_ids: Collection[UUID]) -> None:
    """Leave out of these new texts what was to be left out; a text never ends up empty."""
    wishes = session.execute(
        select(Revision, Regeneration)
        .join(Regeneration, Regeneration.replaced_by_id == Revision.analysis_id)
        .where(Revision.id.in_(revision_ids), Regeneration.without != [])
        .order_by(Revision.analysis_id)
        .options(joinedload(Regeneration.review).joinedload(Review.account))
    )
    for revision, wish in wishes:
        found = _flagged(session, [revision.id])
        spans = [span for check, span in found if check in wish.without]
        rest = Wording(revision.text).without_all(spans)
        if spans and rest.strip():
            wordings.add(session, revision, rest, wish.review.account)


def _flagged(session: Session, revision_ids: Collection[UUID]) -> Sequence[tuple[CheckName, Span]]:
    views = [view for of in findings.of(session, revision_ids).values() for view in of]
    found = [view.finding for view in views if not view.is_dismissed]
    return [
        (one.check_name, (one.span_start, one.span_end))
        for one in found
        if one.span_start is not None and one.span_end is not None
    ]
