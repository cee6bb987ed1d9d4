from http import HTTPStatus

from api.dependencies import DbSession, Reviewer
from api.idempotency import Router
from api.schemas.analyses import AnalysisOut
from api.schemas.claims import ClaimsIn, ClaimsOut, LeaseOut
from predella.ids import AnalysisId, CollectionId
from predella.services import analyses, claims

router = Router(prefix="/claims", tags=["claims"])


@router.post("")
def claim(session: DbSession, reviewer: Reviewer, body: ClaimsIn) -> ClaimsOut:
    """Take the next texts in hand, those that the account holds already first.

    Nobody else is offered them for ten minutes. No claim is needed to decide.
    """
    account = reviewer.account
    within = CollectionId(body.collection_id) if body.collection_id else None
    queue = claims.waiting(account, collection_id=within)
    taken = claims.take(session, queue, account=account, limit=body.n)
    views = {view.id: view for view in analyses.views(session, taken)}
    return ClaimsOut(
        until=claims.extend(session, account=account),
        data=[AnalysisOut.of(views[id_]) for id_ in taken],
    )


@router.put("/heartbeat")
def extend_claims(session: DbSession, reviewer: Reviewer) -> LeaseOut:
    """Hold everything that the account holds for another ten minutes."""
    return LeaseOut(until=claims.extend(session, account=reviewer.account))


@router.delete("/{analysis_id}", status_code=HTTPStatus.NO_CONTENT)
def release_claim(session: DbSession, reviewer: Reviewer, analysis_id: AnalysisId) -> None:
    """Give one back, if the account holds it: others are offered it at once."""
    claims.release(session, [analysis_id], account=reviewer.account)
