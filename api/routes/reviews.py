from typing import Annotated

from fastapi import Depends, Response

from api.dependencies import AnyReviewer, Approver, DbSession, Reader, Reviewer
from api.errors import describe, status_of
from api.idempotency import Router
from api.preconditions import Seen, require_etag
from api.schemas.analyses import AnalysisOut, etag
from api.schemas.problems import Problem
from api.schemas.reviews import (
    AmendedApprovalIn,
    AmendmentIn,
    ApprovalIn,
    DecisionIn,
    DecisionOut,
    DecisionsIn,
    DecisionsOut,
    RejectionIn,
    ReviewOut,
    SecondOpinionIn,
    StepOut,
    WordingOut,
)
from predella.errors import BatchRefusedError, PredellaError
from predella.ids import AnalysisId
from predella.models import Client, Decision, Review, ReviewState, Revision
from predella.services import accounts, analyses, places, reviews
from predella.services.reviews import Ruling

router = Router(tags=["reviews"])
one = Router(prefix="/analyses/{analysis_id}")


def _seen(session: DbSession, analysis_id: AnalysisId, seen: Seen) -> AnalysisOut:
    """Return the analysis, held as it stands, if that is what the caller saw."""
    current = AnalysisOut.of(analyses.get(session, analysis_id, lock=True))
    require_etag(seen, current.etag, current)
    return current


AsSeen = Annotated[AnalysisOut, Depends(_seen)]


@one.get("/history", response_model=list[StepOut])
def get_history(
    session: DbSession, _reader: Reader, analysis_id: AnalysisId
) -> list[WordingOut | ReviewOut]:
    """Show every wording and every decision, in the order in which they came."""
    return [_step(step) for step in analyses.history(session, analysis_id)]


@one.post("/revisions")
def amend(
    session: DbSession,
    reviewer: Reviewer,
    current: AsSeen,
    body: AmendmentIn,
    response: Response,
) -> AnalysisOut:
    """Write a better wording; nothing is approved by that."""
    analysis_id = AnalysisId(current.id)
    reviews.amend(
        session, analysis_id, text=body.text, account=reviewer.account, seen=current.revision
    )
    return _standing(session, analysis_id, response)


@one.post("/approval")
def approve(
    session: DbSession,
    approver: Approver,
    current: AsSeen,
    body: ApprovalIn,
    response: Response,
) -> AnalysisOut:
    """Clear the wording that `If-Match` names for the catalog."""
    analysis_id = AnalysisId(current.id)
    reviews.approve(
        session,
        analysis_id,
        revision_number=current.revision,
        account=approver.account,
        client=Client.API,
        note=body.note,
        seconds_seen=body.seconds_seen,
    )
    return _standing(session, analysis_id, response)


@one.post("/amended-approval")
def amend_and_approve(
    session: DbSession,
    approver: Approver,
    current: AsSeen,
    body: AmendedApprovalIn,
    response: Response,
) -> AnalysisOut:
    """Write a better wording and clear it for the catalog, or do neither."""
    analysis_id = AnalysisId(current.id)
    reviews.amend_and_approve(
        session,
        analysis_id,
        text=body.text,
        account=approver.account,
        seen=current.revision,
        client=Client.API,
        note=body.note,
        seconds_seen=body.seconds_seen,
    )
    return _standing(session, analysis_id, response)


@one.post("/second-opinion")
def ask_second(
    session: DbSession,
    reviewer: Reviewer,
    current: AsSeen,
    body: SecondOpinionIn,
    response: Response,
) -> AnalysisOut:
    """Ask a colleague, or whoever comes, for a second opinion; nothing is settled by it."""
    analysis_id = AnalysisId(current.id)
    colleague = accounts.by_name(session, body.colleague) if body.colleague else None
    reviews.ask_second(
        session,
        analysis_id,
        revision_number=current.revision,
        account=reviewer.account,
        client=Client.API,
        colleague=colleague,
        note=body.note,
    )
    return _standing(session, analysis_id, response)


@one.post("/rejection")
def reject(
    session: DbSession,
    reviewer: Reviewer,
    current: AsSeen,
    body: RejectionIn,
    response: Response,
) -> AnalysisOut:
    """Keep the wording that `If-Match` names out of every catalog, and say why."""
    analysis_id = AnalysisId(current.id)
    reviews.reject(
        session,
        analysis_id,
        revision_number=current.revision,
        account=reviewer.account,
        client=Client.API,
        reason=body.reason,
        note=body.note,
        seconds_seen=body.seconds_seen,
    )
    return _standing(session, analysis_id, response)


@one.post("/undo")
def undo(
    session: DbSession, reviewer: Reviewer, current: AsSeen, response: Response
) -> AnalysisOut:
    """Take back the newest step that stands; an approval only with `approvals:write`."""
    analysis_id = AnalysisId(current.id)
    if current.state is ReviewState.APPROVED:
        places.require(session, reviewer, "approvals:write", analysis_id=analysis_id)
    reviews.undo(session, analysis_id, account=reviewer.account, client=Client.API)
    return _standing(session, analysis_id, response)


@router.post("/decisions:batch")
def decide_many(session: DbSession, reviewer: AnyReviewer, body: DecisionsIn) -> DecisionsOut:
    """Decide on up to 500 wordings; one that is forbidden does not hold back the others.

    Unless `atomic` is true: then all are decided on, or none. Approving needs the scope
    `approvals:write`, each in the collection of its text.
    """
    if any(ruling.decision is Decision.APPROVED for ruling in body.decisions):
        reviewer.require_somewhere("approvals:write")
    rulings = [_ruling(decision) for decision in body.decisions]
    results = reviews.decide_as(session, rulings, principal=reviewer, client=Client.API)
    written = [_result(*pair) for pair in zip(rulings, results, strict=True)]
    forbidden = [result for result in written if result.problem is not None]
    if body.atomic and forbidden:
        raise BatchRefusedError(forbidden=len(forbidden), of=len(written), results=forbidden)
    decided = len(written) - len(forbidden)
    return DecisionsOut(decided=decided, forbidden=len(forbidden), results=written)


router.include_router(one)


def _standing(session: DbSession, analysis_id: AnalysisId, response: Response) -> AnalysisOut:
    standing = AnalysisOut.of(analyses.get(session, analysis_id))
    response.headers["ETag"] = standing.etag
    return standing


def _step(step: Revision | Review) -> WordingOut | ReviewOut:
    return WordingOut.of(step) if isinstance(step, Revision) else ReviewOut.of(step)


def _ruling(decision: DecisionIn) -> Ruling:
    return Ruling(
        analysis_id=AnalysisId(decision.analysis_id),
        revision_number=decision.revision,
        decision=decision.decision,
        reason=decision.reason,
        note=decision.note,
        seconds_seen=decision.seconds_seen,
    )


def _result(ruling: Ruling, result: Review | PredellaError) -> DecisionOut:
    if isinstance(result, PredellaError):
        return DecisionOut(
            analysis_id=ruling.analysis_id,
            status=status_of(result),
            problem=Problem.model_validate(describe(result)),
        )
    tag = etag(ruling.revision_number, result.number)
    return DecisionOut(analysis_id=ruling.analysis_id, status=200, etag=tag)
