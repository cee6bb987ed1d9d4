"""Submissions: how far what was handed in has come, and what to do about what failed."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from api.dependencies import (
    AnyReader,
    AnySubmitter,
    DbSession,
    ObjectStore,
    Reader,
    Submitter,
)
from api.desk.listing import LIMIT, After, Before, listed
from api.desk.rendering import page
from predella.errors import InvalidError
from predella.ids import CollectionId, SubmissionId
from predella.models import Item, ItemState, Submission
from predella.services import (
    collections,
    items,
    operations,
    places,
    reports,
    submissions,
    withdrawals,
)
from predella.services.operations import Operation

router = APIRouter(prefix="/desk/submissions")


@dataclass(frozen=True)
class Row:
    """One hand-in, and how far it has come."""

    submission: Submission
    operation: Operation


@dataclass(frozen=True)
class HandIn:
    """What the form says."""

    collection_id: Annotated[CollectionId, Form()]
    source: Annotated[str, Form(max_length=2_000)]
    title: Annotated[str, Form(max_length=200)] = ""
    preview: Annotated[str, Form(max_length=9)] = ""
    number_pattern: Annotated[str, Form(max_length=500)] = ""
    number_field: Annotated[str, Form(max_length=200)] = ""
    only_these: Annotated[bool, Form()] = False

    def wishes(self) -> dict[str, Any]:
        """Return what is to be read, and how.

        Raises:
            InvalidError: the preview is no number.
        """
        unsaid = "" if self.only_these else None
        return {
            "source": self.source.strip(),
            "preview": _number(self.preview),
            "number_pattern": self.number_pattern.strip() or unsaid,
            "number_field": self.number_field.strip() or unsaid,
        }


Wanted = Annotated[HandIn, Depends()]


@router.get("")
def submissions_page(
    request: Request, session: DbSession, reader: AnyReader, before: Before = None
) -> Response:
    """Show what was handed in, the newest first."""
    reach = reader.reach("collections:read")
    latest = submissions.latest(session, within=reach, before=before, limit=LIMIT)
    found = listed(latest, lambda one: one.id)
    return page(
        request,
        "submissions.html",
        principal=reader,
        rows=[Row(one, operations.get(session, one.id)) for one in found.rows],
        next=found.next,
        collections=collections.listed(
            session, within=reader.reach("submissions:write"), limit=200
        ),
    )


@router.post("")
def hand_in(session: DbSession, submitter: AnySubmitter, wanted: Wanted) -> Response:
    """Hand in a manifest or a folder, and lead to how far it has come.

    What a field leaves empty is as the collection has it, unless only these are to count.
    """
    places.require(session, submitter, "submissions:write", collection_id=wanted.collection_id)
    made = submissions.create(
        session,
        collections.get(session, wanted.collection_id),
        account=submitter.account,
        title=wanted.title,
        **wanted.wishes(),
    )
    return RedirectResponse(f"/desk/submissions/{made.id}", HTTPStatus.SEE_OTHER)


@router.post("/look")
def look(
    request: Request,
    session: DbSession,
    submitter: AnySubmitter,
    wanted: Wanted,
    store: ObjectStore,
) -> Response:
    """Show what handing this in would bring; nothing is kept, and nothing begins."""
    places.require(session, submitter, "submissions:write", collection_id=wanted.collection_id)
    collection = collections.get(session, wanted.collection_id)
    report = submissions.dry_run(
        session, collection, account=submitter.account, store=store, **wanted.wishes()
    )
    return page(
        request,
        "submission_look.html",
        principal=submitter,
        wanted=wanted,
        collection=collection,
        report=report,
    )


@router.get("/{submission_id}")
def submission_page(
    request: Request,
    session: DbSession,
    reader: Reader,
    submission_id: SubmissionId,
    *,
    state: Annotated[ItemState | None, Query()] = None,
    after: After = None,
    again: Annotated[int | None, Query(ge=0)] = None,
) -> Response:
    """Show one hand-in: its progress, what was refused or failed and why, and every item."""
    submission = submissions.get(session, submission_id)
    found = items.listed(
        session, submission_id=submission_id, state=state, after=after, limit=LIMIT
    )
    return page(
        request,
        "submission.html",
        principal=reader,
        submission=submission,
        report=reports.report(session, submission),
        failures=items.failures(session, submission_id),
        beyond_retry=items.HAND_IN_AGAIN,
        items=listed(found, _id),
        states=list(ItemState),
        state=state,
        again=again,
        **_progress(session, submission_id),
    )


@router.get("/{submission_id}/progress")
def progress_part(
    request: Request, session: DbSession, reader: Reader, submission_id: SubmissionId
) -> Response:
    """Show only how far a hand-in has come, for a page that looks again and again."""
    return page(
        request,
        "submission_progress.html",
        principal=reader,
        submission=submissions.get(session, submission_id),
        **_progress(session, submission_id),
    )


@router.get("/{submission_id}/refusals")
def refusals_page(
    request: Request,
    session: DbSession,
    reader: Reader,
    submission_id: SubmissionId,
    after: After = None,
) -> Response:
    """Show every row that was refused, and why."""
    found = submissions.refusals(session, submission_id, after=after, limit=LIMIT)
    return page(
        request,
        "refusals.html",
        principal=reader,
        submission=submissions.get(session, submission_id),
        refusals=listed(found, lambda one: one.id),
    )


@router.post("/{submission_id}/requeue")
def try_again(
    session: DbSession,
    _submitter: Submitter,
    submission_id: SubmissionId,
    code: Annotated[str | None, Form(max_length=100)] = None,
) -> Response:
    """Let what failed be tried again: all of it, or what failed for one reason."""
    submissions.get(session, submission_id)
    number = items.requeue(
        session, submission_id=submission_id, codes=None if code is None else [code]
    )
    return RedirectResponse(
        f"/desk/submissions/{submission_id}?again={number}", HTTPStatus.SEE_OTHER
    )


@router.post("/{submission_id}/withdrawal")
def withdraw(
    session: DbSession,
    submitter: Submitter,
    submission_id: SubmissionId,
    reason: Annotated[str, Form(max_length=2_000)],
) -> Response:
    """Take a hand-in back."""
    withdrawals.withdraw(session, submission_id, account=submitter.account, reason=reason)
    return _back(submission_id)


@router.post("/{submission_id}/restoration")
def restore(
    session: DbSession,
    submitter: Submitter,
    submission_id: SubmissionId,
    reason: Annotated[str, Form(max_length=2_000)],
) -> Response:
    """Bring back what was withdrawn."""
    withdrawals.restore(session, submission_id, account=submitter.account, reason=reason)
    return _back(submission_id)


@router.post("/{submission_id}/release")
def release(session: DbSession, submitter: Submitter, submission_id: SubmissionId) -> Response:
    """Let what waits behind the preview go on."""
    withdrawals.release(session, submission_id, account=submitter.account)
    return _back(submission_id)


def _back(submission_id: SubmissionId) -> Response:
    return RedirectResponse(f"/desk/submissions/{submission_id}", HTTPStatus.SEE_OTHER)


def _number(said: str) -> int | None:
    if not said.strip():
        return None
    if not said.strip().isdecimal():
        raise InvalidError(f"a preview is a number of objects, not {said!r}")
    return int(said)


def _progress(session: DbSession, submission_id: SubmissionId) -> dict[str, Any]:
    return {
        "operation": operations.get(session, submission_id),
        "progress": items.progress(session, submission_id),
    }


def _id(item: Item) -> object:
    return item.id
