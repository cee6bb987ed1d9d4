from http import HTTPStatus

from api.dependencies import DbSession, Reader, Reviewer
from api.idempotency import Router
from api.schemas.remarks import RemarkIn, RemarkOut
from predella.ids import AnalysisId
from predella.services import remarks

router = Router(prefix="/analyses/{analysis_id}/remarks", tags=["reviews"])


@router.get("")
def list_remarks(session: DbSession, _reader: Reader, analysis_id: AnalysisId) -> list[RemarkOut]:
    """Show what was said about an analysis, the oldest first."""
    return [RemarkOut.of(remark) for remark in remarks.of(session, analysis_id)]


@router.post("", status_code=HTTPStatus.CREATED)
def add_remark(
    session: DbSession, reviewer: Reviewer, analysis_id: AnalysisId, body: RemarkIn
) -> RemarkOut:
    """Say something about an analysis, for the others to read; it decides nothing."""
    return RemarkOut.of(remarks.add(session, analysis_id, text=body.text, account=reviewer.account))
