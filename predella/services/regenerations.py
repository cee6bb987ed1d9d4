"""Regenerations: a curator asks for a new text in place of one, and says why."""

from collections.abc import Collection, Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from predella.checks import CheckName
from predella.errors import InvalidError, NotFoundError
from predella.ids import AnalysisId
from predella.models import (
    Account,
    Analysis,
    Client,
    Decision,
    Regeneration,
    RejectionReason,
    Review,
)
from predella.services import omissions, resampling, reviews


def ask(
    session: Session,
    analysis_id: AnalysisId,
    *,
    revision_number: int,
    account: Account,
    client: Client,
    reason: RejectionReason,
    note: str | None = None,
    without: Collection[CheckName] = (),
) -> Review:
    """Give a text up and have a worker write another sample, which then needs review.

    Of the new text the sentences are left out on which one of the checks ``without`` speaks.

    A second click is answered with the first one's decision; nothing more is asked for.

    Raises:
        NotFoundError: there is no such analysis.
        AlreadyDecidedError: it is approved or rejected; undo that first.
        StaleRevisionError: somebody wrote a newer wording than this one.
        InvalidError: the note is longer than 2,000 characters, or a check of ``without`` has
            no word to say of a sentence of this text.
        NotShownError: no object has this text any more.
        TooManySamplesError: there were five new texts for its image already.
    """
    session.get(Analysis, analysis_id, with_for_update=True)
    newest = session.scalars(
        select(Review).filter_by(analysis_id=analysis_id).order_by(Review.number.desc()).limit(1)
    ).first()
    if newest is not None and newest.decision is Decision.SUPERSEDED:
        return newest
    left_out = _flagging(session, analysis_id, without)
    review = reviews.supersede(
        session,
        analysis_id,
        revision_number=revision_number,
        account=account,
        client=client,
        reason=reason,
        note=note,
    )
    resampling.put_in(session, review, left_out)
    return review


def of(session: Session, analysis_id: AnalysisId) -> Sequence[Regeneration]:
    """Return, in their order, the wishes that this text met with, and the one that it answers.

    Raises:
        NotFoundError: there is no such analysis.
    """
    if session.get(Analysis, analysis_id) is None:
        raise NotFoundError("analysis", analysis_id)
    return session.scalars(
        select(Regeneration)
        .where(
            or_(
                Regeneration.analysis_id == analysis_id,
                Regeneration.replaced_by_id == analysis_id,
            )
        )
        .order_by(Regeneration.id)
        .options(joinedload(Regeneration.review).joinedload(Review.account))
    ).all()


def _flagging(
    session: Session, analysis_id: AnalysisId, without: Collection[CheckName]
) -> list[CheckName]:
    flagging = omissions.flagging(session, analysis_id)
    if silent := sorted(set(without) - set(flagging)):
        raise InvalidError(
            f"no sentence of this text is flagged by {', '.join(silent)}; "
            f"could be left out: {', '.join(flagging) or 'none'}"
        )
    return sorted(set(without))
