"""What the buttons of the review page do: each answers with the page to read on with."""

from collections.abc import Callable
from time import time
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Response, status
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field

from api.dependencies import AnyReviewer, Approver, DbSession
from api.desk import review
from api.desk.review import Refusal
from api.desk.trail import Reviewing, Visit
from predella.checks import CheckName
from predella.errors import (
    AlreadyDecidedError,
    ConflictError,
    InvalidError,
    StaleFindingError,
    StaleRevisionError,
)
from predella.ids import AccountId, AnalysisId, FindingId
from predella.models import Client, RejectionReason, ReviewState
from predella.services import (
    accounts,
    analyses,
    claims,
    findings,
    places,
    regenerations,
    remarks,
    reviews,
)

router = APIRouter(prefix="/desk")


class Seen(BaseModel):
    """What was on screen, and for how long."""

    revision: int
    shown_at: float
    """When the page was made: seconds since 1970."""
    seconds: Annotated[float, Field(ge=0)] | None = None
    """For how long it could be seen, where our script has counted."""

    @property
    def seconds_seen(self) -> float:
        """For how long the text was on screen."""
        elapsed = max(0.0, time() - self.shown_at)
        return min(elapsed if self.seconds is None else self.seconds, reviews.MAX_SECONDS_SEEN)


AsSeen = Annotated[Seen, Form()]
Said = Annotated[str, Form()]
Noted = Annotated[str | None, Form()]


@router.post("/analyses/{analysis_id}/approve")
def approve(
    visit: Reviewing, approver: Approver, analysis_id: AnalysisId, seen: AsSeen
) -> Response:
    """Clear the wording on screen for the catalog, and go on."""
    return _decide(
        visit,
        analysis_id,
        seen,
        lambda: reviews.approve(
            visit.session,
            analysis_id,
            revision_number=seen.revision,
            account=approver.account,
            client=Client.DESK,
            seconds_seen=seen.seconds_seen,
        ),
    )


@router.post("/analyses/{analysis_id}/amend-and-approve")
def amend_and_approve(
    visit: Reviewing, approver: Approver, analysis_id: AnalysisId, seen: AsSeen, text: Said
) -> Response:
    """Write a better wording, clear it for the catalog, and go on."""
    return _decide(
        visit,
        analysis_id,
        seen,
        lambda: reviews.amend_and_approve(
            visit.session,
            analysis_id,
            text=text,
            account=approver.account,
            seen=seen.revision,
            client=Client.DESK,
            seconds_seen=seen.seconds_seen,
        ),
        text=text,
    )


@router.post("/analyses/{analysis_id}/amend")
def amend(visit: Reviewing, analysis_id: AnalysisId, seen: AsSeen, text: Said) -> Response:
    """Write a better wording, and stay: nothing is approved by that."""
    return _stay(
        visit,
        analysis_id,
        seen,
        lambda: reviews.amend(
            visit.session,
            analysis_id,
            text=text,
            account=visit.principal.account,
            seen=seen.revision,
        ),
        done="saved",
        text=text,
    )


@router.post("/analyses/{analysis_id}/reject")
def reject(
    visit: Reviewing,
    analysis_id: AnalysisId,
    seen: AsSeen,
    reason: Annotated[RejectionReason, Form()],
    note: Noted = None,
) -> Response:
    """Keep the wording on screen out of every catalog, say why, and go on."""
    return _decide(
        visit,
        analysis_id,
        seen,
        lambda: reviews.reject(
            visit.session,
            analysis_id,
            revision_number=seen.revision,
            account=visit.principal.account,
            client=Client.DESK,
            reason=reason,
            note=note,
            seconds_seen=seen.seconds_seen,
        ),
    )


@router.post("/analyses/{analysis_id}/regenerate")
def regenerate(
    visit: Reviewing,
    analysis_id: AnalysisId,
    seen: AsSeen,
    *,
    reason: Annotated[RejectionReason, Form()],
    note: Noted = None,
    without: Annotated[list[CheckName] | None, Form()] = None,
) -> Response:
    """Give the wording on screen up for another text, say why, and go on."""
    return _decide(
        visit,
        analysis_id,
        seen,
        lambda: regenerations.ask(
            visit.session,
            analysis_id,
            revision_number=seen.revision,
            account=visit.principal.account,
            client=Client.DESK,
            reason=reason,
            note=note,
            without=without or (),
        ),
    )


@router.post("/analyses/{analysis_id}/ask")
def ask(
    visit: Reviewing,
    analysis_id: AnalysisId,
    seen: AsSeen,
    colleague: Annotated[str, Form()] = "",
    note: Noted = None,
) -> Response:
    """Ask somebody for a second opinion, and go on."""

    def act() -> object:
        asked = accounts.get(visit.session, AccountId(UUID(colleague))) if colleague else None
        return reviews.ask_second(
            visit.session,
            analysis_id,
            revision_number=seen.revision,
            account=visit.principal.account,
            client=Client.DESK,
            colleague=asked,
            note=note,
        )

    return _decide(visit, analysis_id, seen, act)


@router.post("/analyses/{analysis_id}/skip")
def skip(visit: Reviewing, analysis_id: AnalysisId) -> Response:
    """Leave a text to others for now, and go on."""
    claims.skip(visit.session, analysis_id, account=visit.principal.account)
    return _onwards(visit, done="skipped")


@router.post("/analyses/{analysis_id}/undo")
def undo(visit: Reviewing, analysis_id: AnalysisId) -> Response:
    """Take back the newest step on a text, and show it; an approval only with the right to."""
    if analyses.get(visit.session, analysis_id, lock=True).state is ReviewState.APPROVED:
        places.require(visit.session, visit.principal, "approvals:write", analysis_id=analysis_id)
    return _stay(
        visit,
        analysis_id,
        None,
        lambda: reviews.undo(
            visit.session, analysis_id, account=visit.principal.account, client=Client.DESK
        ),
        done="undone",
    )


@router.post("/analyses/{analysis_id}/remarks")
def remark(visit: Reviewing, analysis_id: AnalysisId, text: Said) -> Response:
    """Say something about a text, for the others to read."""
    return _stay(
        visit,
        analysis_id,
        None,
        lambda: remarks.add(visit.session, analysis_id, text=text, account=visit.principal.account),
        done="remarked",
    )


@router.post("/analyses/{analysis_id}/findings/{finding_id}/delete-sentence")
def delete_sentence(
    visit: Reviewing, analysis_id: AnalysisId, finding_id: FindingId, seen: AsSeen
) -> Response:
    """Take out the sentence that a finding is about, and stay."""
    return _stay(
        visit,
        analysis_id,
        seen,
        lambda: reviews.delete_sentence(
            visit.session, finding_id, account=visit.principal.account, seen=seen.revision
        ),
        done="deleted",
    )


@router.post("/analyses/{analysis_id}/findings/{finding_id}/dismiss")
def dismiss(
    visit: Reviewing, analysis_id: AnalysisId, finding_id: FindingId, seen: AsSeen, reason: Said
) -> Response:
    """Say why a finding is no fault, and stay."""
    return _stay(
        visit,
        analysis_id,
        seen,
        lambda: findings.dismiss(
            visit.session,
            finding_id,
            reason=reason,
            account=visit.principal.account,
            client=Client.DESK,
        ),
        done="dismissed",
    )


@router.post("/claims/extend")
def extend(session: DbSession, reviewer: AnyReviewer) -> dict[str, float]:
    """Hold what is held for another ten minutes; tell until when, in seconds since 1970."""
    return {"until": claims.extend(session, account=reviewer.account).timestamp()}


def _decide(
    visit: Visit,
    analysis_id: AnalysisId,
    seen: Seen,
    act: Callable[[], object],
    *,
    text: str | None = None,
) -> Response:
    refused = _refused(visit, analysis_id, seen, act, text)
    return refused or _onwards(visit, done="decided")


def _stay(
    visit: Visit,
    analysis_id: AnalysisId,
    seen: Seen | None,
    act: Callable[[], object],
    *,
    done: str,
    text: str | None = None,
) -> Response:
    refused = _refused(visit, analysis_id, seen, act, text)
    return refused or _shown(visit, analysis_id, done=done)


def _refused(
    visit: Visit,
    analysis_id: AnalysisId,
    seen: Seen | None,
    act: Callable[[], object],
    text: str | None,
) -> Response | None:
    """Do it; return the page that says why it was not done, with what was written, if so."""
    try:
        with visit.session.begin_nested():
            act()
    except (StaleRevisionError, StaleFindingError, AlreadyDecidedError) as error:
        if seen is None:
            return review.show(visit, analysis_id, refusal=Refusal(error))
        return review.conflict(visit, analysis_id, seen=seen.revision, error=error, text=text)
    except (ConflictError, InvalidError) as error:
        return review.show(visit, analysis_id, refusal=Refusal(error, text))
    return None


def _onwards(visit: Visit, *, done: str) -> Response:
    ids = review.ahead(visit)
    if not ids:
        return RedirectResponse(
            visit.trail.address("/desk/review", done=done), status.HTTP_303_SEE_OTHER
        )
    if visit.wants_panel:
        answer = review.show(visit, ids[0], done=done, upcoming=ids)
        answer.headers["X-Desk-Address"] = visit.trail.address(f"/desk/analyses/{ids[0]}")
        return answer
    return _elsewhere(visit, ids[0], done)


def _shown(visit: Visit, analysis_id: AnalysisId, *, done: str) -> Response:
    if visit.wants_panel:
        answer = review.show(visit, analysis_id, done=done)
        answer.headers["X-Desk-Address"] = visit.trail.address(f"/desk/analyses/{analysis_id}")
        return answer
    return _elsewhere(visit, analysis_id, done)


def _elsewhere(visit: Visit, analysis_id: AnalysisId, done: str) -> Response:
    address = visit.trail.address(f"/desk/analyses/{analysis_id}", done=done)
    return RedirectResponse(address, status.HTTP_303_SEE_OTHER)
