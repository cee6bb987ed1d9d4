"""The review page: one picture, one text, and what can be done about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from math import exp
from time import time
from uuid import UUID

from fastapi import APIRouter, Response, status
from fastapi.responses import RedirectResponse

from api.desk import marking
from api.desk.pictures import address as picture
from api.desk.rendering import page
from api.desk.trail import Beginning, Visit, Visiting
from api.errors import kind_of, status_of
from predella.errors import AlreadyDecidedError, ClaimedError, PredellaError, WithheldError
from predella.formats import diff
from predella.ids import AnalysisId, CollectionId
from predella.models import Account, Claim, RejectionReason, Revision
from predella.services import (
    analyses,
    claims,
    memberships,
    openings,
    preferences,
    remarks,
    reviews,
    searches,
)
from predella.services.analyses import AnalysisView
from predella.services.reviews import Recent

router = APIRouter(prefix="/desk")

_AHEAD = 3
"""Texts that are claimed at once: the one on screen, and those whose pictures come meanwhile."""
_REVIEW_SIDE = 3072
"""Pixels: only a larger original has more to show than the picture that is there at once."""


@dataclass(frozen=True)
class Refusal:
    """What was not done, and what the person had written by then."""

    error: PredellaError
    text: str | None = None

    @property
    def kind(self) -> str:
        """What it is called, as in problems."""
        return kind_of(type(self.error)).rpartition("/")[2]


@router.get("/review")
def next_one(visit: Beginning, done: str | None = None) -> Response:
    """Lead to the first text of a queue that nobody else has on screen."""
    ids = ahead(visit)
    if not ids:
        return _nothing_left(visit, done)
    return RedirectResponse(
        visit.trail.address(f"/desk/analyses/{ids[0]}"), status.HTTP_303_SEE_OTHER
    )


@router.get("/analyses/{analysis_id}")
def one(visit: Visiting, analysis_id: AnalysisId, done: str | None = None) -> Response:
    """Show one text with its picture, and hold it for whoever reads it."""
    return show(visit, analysis_id, done=done)


@router.get("/analyses/{analysis_id}/provenance")
def provenance(visit: Visiting, analysis_id: AnalysisId) -> Response:
    """Show everything that is known of how a text came about, and all that was done with it."""
    view = analyses.get(visit.session, analysis_id)
    return page(
        visit.request,
        "provenance.html",
        principal=visit.principal,
        trail=visit.trail,
        view=view,
        provenance=analyses.provenance(view),
        history=_history(visit, analysis_id),
    )


def ahead(visit: Visit) -> Sequence[AnalysisId]:
    """Claim what comes next on this trail; return it in its order."""
    return claims.take(
        visit.session,
        visit.search("reviews:write"),
        account=visit.principal.account,
        order=visit.trail.order,
        limit=_AHEAD,
    )


def _nothing_left(visit: Visit, done: str | None) -> Response:
    return page(
        visit.request,
        "nothing_left.html",
        principal=visit.principal,
        trail=visit.trail,
        done=done,
        latest=reviews.latest(visit.session, account=visit.principal.account, within=visit.visible),
    )


def show(
    visit: Visit,
    analysis_id: AnalysisId,
    *,
    done: str | None = None,
    refusal: Refusal | None = None,
    upcoming: Sequence[AnalysisId] | None = None,
) -> Response:
    """Return the page of one text; with a refusal, of one that could not be decided on so."""
    session, account = visit.session, visit.principal.account
    view = analyses.get(session, analysis_id)
    within = CollectionId(view.image.collection_id)
    may_review = visit.principal.may("reviews:write", within)
    left = visit.search("reviews:write" if may_review else "collections:read").still_open
    claim, colleague = _held(visit, view) if may_review else (None, None)
    if may_review:
        openings.note(session, view.revision, account=account)
    if upcoming is None and claim is not None:
        upcoming = ahead(visit)
    found = marking.numbered(view.findings)
    latest = reviews.latest(session, account=account, within=visit.visible)
    return page(
        visit.request,
        "review.html",
        principal=visit.principal,
        status=status_of(refusal.error) if refusal else HTTPStatus.OK,
        trail=visit.trail,
        view=view,
        item=view.items[0] if view.items else None,
        picture=picture(view.image, "review.jpg"),
        models_view=picture(view.image, "model.png"),
        is_large=max(view.image.width, view.image.height) > _REVIEW_SIDE,
        next_picture=_next_picture(visit, upcoming or (), view),
        segments=marking.segments(view.revision.text, found),
        findings=found,
        first_mendable=next((one.number for one in found if one.span), None),
        confidence=exp(view.analysis.mean_logprob),
        changes=diff.words(view.analysis.text, view.revision.text),
        claim=claim,
        colleague=colleague,
        colleagues=_colleagues(visit, within),
        remarks=remarks.of(session, analysis_id),
        reasons=list(RejectionReason),
        flagging=list(dict.fromkeys(one.view.finding.check_name for one in found if one.span)),
        latest=latest,
        undoable=_undoable(visit, view, latest),
        left=searches.count(session, left),
        may_review=may_review,
        may_approve=visit.principal.may("approvals:write", within),
        done=done,
        refusal=refusal,
        now=time(),
        single_keys=preferences.of(account).single_keys,
    )


def conflict(
    visit: Visit, analysis_id: AnalysisId, *, seen: int, error: PredellaError, text: str | None
) -> Response:
    """Show what a colleague did meanwhile beside what was seen and what was written."""
    view = analyses.get(visit.session, analysis_id)
    before = _wording(visit, analysis_id, seen)
    openings.note(visit.session, view.revision, account=visit.principal.account)
    return page(
        visit.request,
        "conflict.html",
        principal=visit.principal,
        status=status_of(error),
        trail=visit.trail,
        view=view,
        item=view.items[0] if view.items else None,
        refusal=Refusal(error, text),
        is_decided=isinstance(error, AlreadyDecidedError),
        before=before,
        theirs=diff.words(before.text, view.revision.text),
        mine=diff.words(before.text, text) if text is not None else None,
        now=time(),
    )


def _held(visit: Visit, view: AnalysisView) -> tuple[Claim | None, str | None]:
    """Hold a text that is still to be decided; return the claim, or which colleague has it."""
    try:
        with visit.session.begin_nested():
            return claims.hold(visit.session, view.id, account=visit.principal.account), None
    except (AlreadyDecidedError, WithheldError):
        return None, None
    except ClaimedError as error:
        return None, error.colleague


def _undoable(visit: Visit, view: AnalysisView, latest: Sequence[Recent]) -> UUID | None:
    """Return on which text the newest step of this account can be taken back: on this one first."""
    wording = view.revision
    is_mine = wording.account_id == visit.principal.account.id and wording.restores_number is None
    if is_mine and not (view.review and view.review.decision.settles):
        return view.id
    return next((one.review.analysis_id for one in latest if one.stands), None)


def _next_picture(visit: Visit, upcoming: Sequence[AnalysisId], now: AnalysisView) -> str | None:
    following = [id_ for id_ in upcoming if id_ != now.id][:1]
    views = analyses.views(visit.session, following)
    return picture(views[0].image, "review.jpg") if views else None


def _colleagues(visit: Visit, within: CollectionId) -> list[Account]:
    able = memberships.reviewers(visit.session, within)
    return [account for account in able if account.id != visit.principal.account.id]


def _history(visit: Visit, analysis_id: AnalysisId) -> list[tuple[bool, object]]:
    steps = analyses.history(visit.session, analysis_id)
    return [(isinstance(step, Revision), step) for step in steps]


def _wording(visit: Visit, analysis_id: AnalysisId, number: int) -> Revision:
    steps = analyses.history(visit.session, analysis_id)
    wordings = [step for step in steps if isinstance(step, Revision)]
    return next((one for one in wordings if one.number == number), wordings[0])
