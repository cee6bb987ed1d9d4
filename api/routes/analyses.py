from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from api.dependencies import DbSession, ObjectStore, Reader
from api.paging import ById, Rows
from api.schemas.analyses import AnalysisOut
from api.schemas.base import Page
from api.streaming import stream
from predella.checks import CheckName, Severity
from predella.ids import AnalysisId, CollectionId, SubmissionId
from predella.models import ReviewState
from predella.services import analyses, images, openings
from predella.settings import get_settings

router = APIRouter(prefix="/analyses", tags=["analyses"])


@router.get("", response_model=Page[AnalysisOut])
def list_analyses(
    session: DbSession,
    _reader: Reader,
    paging: ById,
    *,
    collection_id: Annotated[CollectionId | None, Query()] = None,
    submission_id: Annotated[SubmissionId | None, Query()] = None,
    state: Annotated[ReviewState | None, Query()] = None,
    check: Annotated[CheckName | None, Query(description="With such a finding open.")] = None,
    severity: Annotated[Severity | None, Query(description="With such a finding open.")] = None,
) -> Rows[AnalysisOut]:
    """List analyses in the order in which they were written."""
    views = analyses.listed(
        session,
        collection_id=collection_id,
        submission_id=submission_id,
        state=state,
        check=check,
        severity=severity,
        after=paging.after,
        limit=paging.limit,
    )
    return paging.page([AnalysisOut.of(view) for view in views], lambda row: row.id)


@router.get("/{analysis_id}")
def get_analysis(
    session: DbSession, reader: Reader, analysis_id: AnalysisId, response: Response
) -> AnalysisOut:
    """Show one analysis as it stands; `ETag` names this state.

    It is remembered that this wording was open before the account.
    """
    view = analyses.get(session, analysis_id)
    openings.note(session, view.revision, account=reader.account)
    shown = AnalysisOut.of(view)
    response.headers["ETag"] = shown.etag
    return shown


@router.get("/{analysis_id}/provenance")
def get_provenance(session: DbSession, _reader: Reader, analysis_id: AnalysisId) -> dict[str, Any]:
    """Show everything that is known of how a text came about."""
    return analyses.provenance(analyses.get(session, analysis_id))


@router.get(
    "/{analysis_id}/image",
    response_class=StreamingResponse,
    responses={200: {"content": {"image/jpeg": {}}}},
)
def get_image(
    session: DbSession, _reader: Reader, analysis_id: AnalysisId, store: ObjectStore
) -> StreamingResponse:
    """Show the picture that was analyzed, upright, in sRGB, at most 3072 pixels long."""
    image = analyses.get(session, analysis_id).image
    key = images.review_key(image.collection_id, image.sha256, image.preprocessing)
    return stream(
        store.open(get_settings().bucket, key),
        media_type="image/jpeg",
        headers={"Cache-Control": "private, max-age=86400"},
    )
