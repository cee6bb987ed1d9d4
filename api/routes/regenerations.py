from fastapi import Response, status

from api.dependencies import DbSession, Reader, Reviewer
from api.idempotency import Router
from api.routes.reviews import AsSeen
from api.schemas.analyses import AnalysisOut
from api.schemas.regenerations import RegenerationIn, RegenerationOut
from predella.ids import AnalysisId
from predella.models import Client
from predella.services import analyses, regenerations

router = Router(prefix="/analyses/{analysis_id}", tags=["reviews"])


@router.post("/regeneration", status_code=status.HTTP_202_ACCEPTED)
def regenerate(
    session: DbSession,
    reviewer: Reviewer,
    current: AsSeen,
    body: RegenerationIn,
    response: Response,
) -> AnalysisOut:
    """Give up the wording that `If-Match` names, and have the model write a new text.

    The new text is an analysis of its own, which needs review when it comes; `undo` takes
    this one up again.
    """
    analysis_id = AnalysisId(current.id)
    regenerations.ask(
        session,
        analysis_id,
        revision_number=current.revision,
        account=reviewer.account,
        client=Client.API,
        reason=body.reason,
        note=body.note,
        without=body.without,
    )
    standing = AnalysisOut.of(analyses.get(session, analysis_id))
    response.headers["ETag"] = standing.etag
    return standing


@router.get("/regenerations")
def list_regenerations(
    session: DbSession, _reader: Reader, analysis_id: AnalysisId
) -> list[RegenerationOut]:
    """Show what was asked for in place of this text, and what this text was written for."""
    return [RegenerationOut.of(wish) for wish in regenerations.of(session, analysis_id)]
