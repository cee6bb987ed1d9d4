"""Remarks: what people say about an analysis, for the others to read; decides nothing."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from predella.errors import InvalidError, NotFoundError
from predella.ids import AnalysisId
from predella.models import Account, Analysis, Remark
from predella.services import sayings


def add(session: Session, analysis_id: AnalysisId, *, text: str, account: Account) -> Remark:
    """Say something about an analysis; it stays, whatever is decided.

    Raises:
        NotFoundError: there is no such analysis.
        InvalidError: nothing is said, or more than 2,000 characters.
    """
    said = sayings.kept("comment", text)
    if not said:
        raise InvalidError("the comment is empty")
    _require(session, analysis_id)
    remark = Remark(analysis_id=analysis_id, account=account, text=said)
    session.add(remark)
    session.flush()
    return remark


def of(session: Session, analysis_id: AnalysisId) -> Sequence[Remark]:
    """Return what was said about an analysis, with who said it, the oldest first.

    Raises:
        NotFoundError: there is no such analysis.
    """
    _require(session, analysis_id)
    return session.scalars(
        select(Remark)
        .filter_by(analysis_id=analysis_id)
        .order_by(Remark.id)
        .options(joinedload(Remark.account))
    ).all()


def _require(session: Session, analysis_id: AnalysisId) -> None:
    if session.get(Analysis, analysis_id) is None:
        raise NotFoundError("analysis", analysis_id)
