"""Remarks: what people say about an analysis, for the others to read; decides nothing."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from predella.errors import InvalidError, NotFoundError
from predella.formats.text import normalise
from predella.ids import AnalysisId
from predella.models import Account, Analysis, Remark

MAX_REMARK = 2_000
"""Characters."""


def add(session: Session, analysis_id: AnalysisId, *, text: str, account: Account) -> Remark:
    """Say something about an analysis; it stays, whatever is decided.

    Raises:
        NotFoundError: there is no such analysis.
        InvalidError: nothing is said, or more than 2,000 characters.
    """
    said = normalise(text).strip()
    if not said:
        raise InvalidError("the comment is empty")
    if len(said) > MAX_REMARK:
        raise InvalidError(
            f"the comment has {len(said):,} characters; at most {MAX_REMARK:,} are kept"
        )
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
