from http import HTTPStatus
from typing import Annotated

from fastapi import Query, Response

from api.dependencies import DbSession, Reader, Submitter
from api.idempotency import Router
from api.paging import ById, Rows
from api.schemas.base import Page
from api.schemas.submissions import (
    FailureOut,
    ItemOut,
    ProgressOut,
    ReasonIn,
    RefusalOut,
    RefusedOut,
    ReleasedOut,
    RequeuedOut,
    RequeueIn,
    SubmissionIn,
    SubmissionOut,
    SubmissionReportOut,
)
from predella.ids import CollectionId, ItemId, SubmissionId
from predella.models import ItemState, Refusal, Submission
from predella.services import collections, items, reports, submissions, withdrawals

router = Router(tags=["submissions"])


@router.post(
    "/collections/{collection_id}/submissions",
    status_code=HTTPStatus.ACCEPTED,
    response_model=SubmissionOut,
)
def create_submission(
    session: DbSession,
    submitter: Submitter,
    collection_id: CollectionId,
    body: SubmissionIn,
    response: Response,
) -> Submission:
    """Hand in a manifest or a folder; follow it at the address in `Location`."""
    made = submissions.create(
        session,
        collections.get(session, collection_id),
        account=submitter.account,
        source=body.source,
        title=body.title,
        preview=body.preview,
        number_pattern=body.number_pattern,
        number_field=body.number_field,
    )
    response.headers["Location"] = f"/v1/operations/{made.id}"
    return made


@router.get("/collections/{collection_id}/submissions", response_model=Page[SubmissionOut])
def list_submissions(
    session: DbSession, reader: Reader, collection_id: CollectionId, paging: ById
) -> Rows[Submission]:
    """List what was handed in to a collection."""
    rows = submissions.listed(
        session,
        within=reader.reach("collections:read"),
        collection_id=CollectionId(collections.get(session, collection_id).id),
        after=paging.after,
        limit=paging.limit,
    )
    return paging.page(rows, lambda row: row.id)


@router.get("/submissions/{submission_id}")
def get_submission(
    session: DbSession, _reader: Reader, submission_id: SubmissionId
) -> SubmissionReportOut:
    """Show one hand-in and what became of its rows and items so far."""
    submission = submissions.get(session, submission_id)
    report = reports.report(session, submission)
    return SubmissionReportOut(
        **SubmissionOut.model_validate(submission).model_dump(),
        progress=ProgressOut.model_validate(items.progress(session, submission_id)),
        rights_unknown=report.rights_unknown,
        files_without_row=report.files_without_row,
        analysis_seconds=report.analysis_seconds,
        refused=[RefusedOut.model_validate(group) for group in report.refused],
        failures=[
            FailureOut.model_validate(group) for group in items.failures(session, submission_id)
        ],
    )


@router.get("/submissions/{submission_id}/refusals", response_model=Page[RefusalOut])
def list_refusals(
    session: DbSession, _reader: Reader, submission_id: SubmissionId, paging: ById
) -> Rows[Refusal]:
    """List the rows that were not accepted and the files that no row names, and why."""
    submissions.get(session, submission_id)
    rows = submissions.refusals(session, submission_id, after=paging.after, limit=paging.limit)
    return paging.page(rows, lambda row: row.id)


@router.get("/submissions/{submission_id}/items", response_model=Page[ItemOut])
def list_items(
    session: DbSession,
    reader: Reader,
    submission_id: SubmissionId,
    paging: ById,
    state: Annotated[ItemState | None, Query()] = None,
) -> Rows[ItemOut]:
    """List the items of a hand-in and what became of each."""
    in_full = reader.sees_closed(submissions.get(session, submission_id).collection_id)
    rows = items.listed(
        session, submission_id=submission_id, state=state, after=paging.after, limit=paging.limit
    )
    return paging.page([ItemOut.of(row, in_full=in_full) for row in rows], lambda row: row.id)


@router.post("/submissions/{submission_id}/requeue", status_code=HTTPStatus.ACCEPTED)
def requeue(
    session: DbSession,
    _submitter: Submitter,
    submission_id: SubmissionId,
    body: RequeueIn,
    response: Response,
) -> RequeuedOut:
    """Try failed items again; those whose file changed have to be handed in again."""
    submissions.get(session, submission_id)
    chosen = None if body.item_ids is None else [ItemId(item_id) for item_id in body.item_ids]
    number = items.requeue(session, submission_id=submission_id, item_ids=chosen, codes=body.codes)
    response.headers["Location"] = f"/v1/operations/{submission_id}"
    return RequeuedOut(requeued=number)


@router.post("/submissions/{submission_id}/withdrawal", response_model=SubmissionOut)
def withdraw_submission(
    session: DbSession, submitter: Submitter, submission_id: SubmissionId, body: ReasonIn
) -> Submission:
    """Take a hand-in back: its work stops, its texts leave the queue and the exports."""
    return withdrawals.withdraw(
        session, submission_id, account=submitter.account, reason=body.reason
    )


@router.post("/submissions/{submission_id}/restoration", response_model=SubmissionOut)
def restore_submission(
    session: DbSession, submitter: Submitter, submission_id: SubmissionId, body: ReasonIn
) -> Submission:
    """Bring back what was withdrawn: its work goes on, its texts stand as before."""
    return withdrawals.restore(
        session, submission_id, account=submitter.account, reason=body.reason
    )


@router.post("/submissions/{submission_id}/release", status_code=HTTPStatus.ACCEPTED)
def release_submission(
    session: DbSession, submitter: Submitter, submission_id: SubmissionId, response: Response
) -> ReleasedOut:
    """Let what waits behind the preview go on."""
    number = withdrawals.release(session, submission_id, account=submitter.account)
    response.headers["Location"] = f"/v1/operations/{submission_id}"
    return ReleasedOut(released=number)
