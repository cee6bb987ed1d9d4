from typing import Annotated

from fastapi import Query, Response

from api.dependencies import AnyReader, DbSession, Reviewer
from api.idempotency import Router
from api.preconditions import PreconditionFailedError
from api.schemas.analyses import AnalysisOut
from api.schemas.findings import CountOut, DismissalIn, FindingOut, SentenceDeletionIn
from predella.errors import StaleRevisionError
from predella.ids import AnalysisId, CollectionId, FindingId
from predella.models import Client, ReviewState
from predella.services import analyses, findings, reviews
from predella.services.findings import Count

router = Router(prefix="/findings", tags=["findings"])


@router.get("/counts", response_model=list[CountOut])
def count_findings(
    session: DbSession,
    reader: AnyReader,
    collection_id: Annotated[CollectionId | None, Query()] = None,
    state: Annotated[ReviewState | None, Query()] = None,
) -> list[Count]:
    """Count, by check and severity, the texts that have something open."""
    return findings.counts(
        session,
        within=reader.reach("collections:read"),
        collection_id=collection_id,
        state=state,
    )


@router.post("/{finding_id}/dismissal")
def dismiss(
    session: DbSession, reviewer: Reviewer, finding_id: FindingId, body: DismissalIn
) -> FindingOut:
    """Say that a finding is no fault, and why; it holds as long as its sentence stands."""
    findings.dismiss(
        session, finding_id, reason=body.reason, account=reviewer.account, client=Client.API
    )
    return FindingOut.of(findings.get(session, finding_id))


@router.delete("/{finding_id}/dismissal")
def withdraw(session: DbSession, reviewer: Reviewer, finding_id: FindingId) -> FindingOut:
    """Take a dismissal back, whoever gave it: the finding is open again."""
    findings.withdraw(session, finding_id, account=reviewer.account, client=Client.API)
    return FindingOut.of(findings.get(session, finding_id))


@router.post("/{finding_id}/sentence-deletion")
def delete_sentence(
    session: DbSession,
    reviewer: Reviewer,
    finding_id: FindingId,
    body: SentenceDeletionIn,
    response: Response,
) -> AnalysisOut:
    """Write the wording anew without the sentences that a finding is about."""
    try:
        written = reviews.delete_sentence(
            session, finding_id, account=reviewer.account, seen=body.revision
        )
    except StaleRevisionError as error:
        current = AnalysisOut.of(analyses.get(session, AnalysisId(error.analysis_id)))
        raise PreconditionFailedError(etag=current.etag, current=current) from error
    shown = AnalysisOut.of(analyses.get(session, AnalysisId(written.analysis_id)))
    response.headers["ETag"] = shown.etag
    return shown
