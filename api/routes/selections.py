from fastapi import status

from api.dependencies import AnyReviewer, Approver, DbSession, Reader, Reviewer
from api.idempotency import Router
from api.schemas.selections import BulkIn, BulkOut, SelectionIn, SelectionOut
from predella.ids import SelectionId
from predella.models import Account, Client, Decision, Selection
from predella.services import bulks, places, searches, selections

router = Router(prefix="/selections", tags=["reviews"])


@router.post("", status_code=status.HTTP_201_CREATED)
def freeze(session: DbSession, reviewer: AnyReviewer, body: SelectionIn) -> SelectionOut:
    """Freeze what a query finds, in the order of risk; for 24 hours it can be decided on.

    It looks only in collections where the account may review.
    """
    account = reviewer.account
    reach = reviewer.reach("reviews:write")
    search = searches.parse(session, body.query, account=account, within=reach)
    made = selections.freeze(session, search, account=account, limit=body.limit)
    return _shown(session, made, account)


@router.get("/{selection_id}")
def get_selection(session: DbSession, reader: Reader, selection_id: SelectionId) -> SelectionOut:
    """Show what was frozen."""
    return _shown(session, selections.get(session, selection_id), reader.account)


@router.post("/{selection_id}/decision")
def decide_all(
    session: DbSession, reviewer: Reviewer, selection_id: SelectionId, body: BulkIn
) -> BulkOut:
    """Decide alike on every text that stands as it was frozen; the others are told one by one.

    Approving and reopening need the scope `approvals:write`, and only what the account has
    had open is approved.
    """
    if body.decision is not Decision.REJECTED:
        places.require(session, reviewer, "approvals:write", selection_id=selection_id)
    result = bulks.decide(
        session,
        selection_id,
        expected_count=body.expected_count,
        decision=body.decision,
        reason=body.reason,
        note=body.note,
        account=reviewer.account,
        client=Client.API,
    )
    return BulkOut.of(result)


@router.post("/{selection_id}/revert")
def revert(session: DbSession, approver: Approver, selection_id: SelectionId) -> BulkOut:
    """Reopen what was decided with this selection and nobody has decided anew since."""
    result = bulks.revert(session, selection_id, account=approver.account, client=Client.API)
    return BulkOut.of(result)


def _shown(session: DbSession, selection: Selection, account: Account) -> SelectionOut:
    opened = selections.opened(session, SelectionId(selection.id), account=account)
    return SelectionOut.of(selection, opened)
