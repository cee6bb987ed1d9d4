from typing import Annotated, Any

from fastapi import Query, Response
from fastapi.responses import StreamingResponse

from api.dependencies import AnyReader, DbSession, ObjectStore, Reader
from api.idempotency import Router
from api.paging import ByPlace, Rows
from api.schemas.analyses import AnalysisOut
from api.schemas.base import Page, Text
from api.streaming import stream
from predella.checks import CheckName, Severity
from predella.formats.query import MAX_LENGTH
from predella.ids import AnalysisId, CollectionId, SubmissionId
from predella.models import ReviewState
from predella.services import analyses, images, openings, searches
from predella.services.searches import Order
from predella.settings import get_settings

router = Router(prefix="/analyses", tags=["analyses"])

_EXAMPLE = "state:needs_review check:date conf:<0.6"


@router.get("", response_model=Page[AnalysisOut])
def list_analyses(
    session: DbSession,
    reader: AnyReader,
    paging: ByPlace,
    *,
    query: Annotated[Text, Query(max_length=MAX_LENGTH, examples=[_EXAMPLE])] = "",
    order: Annotated[Order, Query()] = Order.OLDEST,
    collection_id: Annotated[CollectionId | None, Query()] = None,
    submission_id: Annotated[SubmissionId | None, Query()] = None,
    state: Annotated[ReviewState | None, Query()] = None,
    check: Annotated[CheckName | None, Query(description="With such a finding open.")] = None,
    severity: Annotated[Severity | None, Query(description="With such a finding open.")] = None,
) -> Rows[AnalysisOut]:
    """List analyses that the query finds and that all the filters let through.

    A query is terms with spaces between them, all of which must hold: `state:needs_review
    check:date,colour_absent conf:<0.6 -object:SK-A-*`. See `docs/api.md`.
    """
    views, following = analyses.found(
        session,
        searches.parse(
            session,
            query,
            account=reader.account,
            within=reader.reach("collections:read"),
            withheld_within=reader.closed_reach,
        ),
        order=order,
        collection_id=collection_id,
        submission_id=submission_id,
        state=state,
        check=check,
        severity=severity,
        after=paging.after,
        limit=paging.size,
    )
    return paging.ending([AnalysisOut.of(view) for view in views], following)


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
