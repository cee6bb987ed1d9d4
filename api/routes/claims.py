from http import HTTPStatus

from api.dependencies import AnyReviewer, DbSession, Reviewer
from api.idempotency import Router
from api.schemas.analyses import AnalysisOut
from api.schemas.claims import ClaimsIn, ClaimsOut, LeaseOut
from predella.ids import AnalysisId
from predella.services import analyses, claims, searches

router = Router(prefix="/claims", tags=["claims"])


@router.post("")
def claim(session: DbSession, reviewer: AnyReviewer, body: ClaimsIn) -> ClaimsOut:
    """Take the next open texts of a query in hand, those that the account holds already first.

    Nobody else is offered them for ten minutes. No claim is needed to decide. A second opinion
    is offered to whom it was asked of; where nobody was named, to everybody but who asked.
    """
    account = reviewer.account
    reach = reviewer.reach("reviews:write")
    search = searches.parse(session, body.query, account=account, within=reach)
    taken = claims.take(session, search, account=account, order=body.order, limit=body.n)
    views = {view.id: view for view in analyses.views(session, taken)}
    return ClaimsOut(
        until=claims.extend(session, account=account),
        data=[AnalysisOut.of(views[id_]) for id_ in taken],
    )


@router.put("/heartbeat")
def extend_claims(session: DbSession, reviewer: AnyReviewer) -> LeaseOut:
    """Hold everything that the account holds for another ten minutes."""
    return LeaseOut(until=claims.extend(session, account=reviewer.account))


@router.delete("/{analysis_id}", status_code=HTTPStatus.NO_CONTENT)
def release_claim(session: DbSession, reviewer: Reviewer, analysis_id: AnalysisId) -> None:
    """Give one back, if the account holds it: others are offered it at once."""
    claims.release(session, [analysis_id], account=reviewer.account)
