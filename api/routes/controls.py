from http import HTTPStatus
from typing import Annotated

from fastapi import Query

from api.dependencies import AnyApprover, Approver, DbSession
from api.idempotency import Router
from api.schemas.controls import ControlIn, ControlOut, DetectionOut
from predella.ids import AnalysisId, CollectionId, ControlId
from predella.models import Client, Control
from predella.services import controls, places
from predella.services.controls import Detection

router = Router(prefix="/controls", tags=["controls"])


@router.post("", status_code=HTTPStatus.CREATED, response_model=ControlOut)
def seed_control(session: DbSession, approver: AnyApprover, body: ControlIn) -> Control:
    """Leave a text that is known to be bad in the queue, to see whether review finds it."""
    places.require(session, approver, "approvals:write", analysis_id=body.analysis_id)
    return controls.seed(
        session,
        AnalysisId(body.analysis_id),
        expected=body.expected,
        account=approver.account,
    )


@router.post("/{control_id}/reveal", response_model=ControlOut)
def reveal_control(session: DbSession, approver: Approver, control_id: ControlId) -> Control:
    """Say openly that a text was a control item; one that was approved is reopened."""
    return controls.reveal(session, control_id, account=approver.account, client=Client.API)


@router.get("/detection", response_model=DetectionOut)
def get_detection(
    session: DbSession, approver: AnyApprover, collection_id: Annotated[CollectionId, Query()]
) -> Detection:
    """Tell how many control items of a collection were found."""
    places.require(session, approver, "approvals:write", collection_id=collection_id)
    return controls.caught(session, collection_id)
