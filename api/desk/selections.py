"""Selections: many texts at once, frozen and counted before anything is decided on them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field

from api.dependencies import Approver
from api.desk import queue
from api.desk.rendering import page
from api.desk.trail import Beginning, Reviewing, Visit, Visiting
from api.errors import kind_of, status_of
from predella import clock
from predella.errors import ConflictError, InvalidError, PredellaError
from predella.ids import AnalysisId, CollectionId, SelectionId
from predella.models import Client, Decision, Lot, RejectionReason, Selection
from predella.sampling import TERMS, Plan
from predella.services import analyses, bulks, collections, places, selections
from predella.services.bulks import BulkResult, Hindrance, Refused

router = APIRouter(prefix="/desk/selections")

_NAMED = 100
"""Texts that are named one by one, of those that were left for the same cause."""


class Purpose(StrEnum):
    """What texts are chosen in the queue for."""

    READ = "read"
    BULK = "bulk"
    SAMPLE = "sample"
    """Of those that no check has anything to say of."""


class Choice(StrEnum):
    """What can be done with all of a selection."""

    APPROVE = "approve"
    LOT = "lot"
    REJECT = "reject"


class Chosen(BaseModel):
    """What somebody filled in."""

    choice: Choice | None = None
    count: Annotated[str, Field(max_length=20)] = ""
    """The number of texts, typed by hand."""
    reason: RejectionReason | None = None
    note: str = ""
    plan: Plan = Plan.STANDARD
    collection_id: UUID | None = None

    @property
    def number(self) -> int:
        """What was typed, however its thousands are set apart; 0 for nothing."""
        return int(re.sub(r"[^0-9]", "", self.count) or 0)


AsChosen = Annotated[Chosen, Form()]


@dataclass(frozen=True)
class Left:
    """Members that were left as they are, for one cause."""

    why: Hindrance
    count: int
    named: Mapping[AnalysisId, str]
    """Some of them, with their object numbers."""


@router.post("")
def freeze(
    visit: Beginning,
    purpose: Annotated[Purpose, Form()],
    ticked: Annotated[list[UUID] | None, Form(alias="id")] = None,
    *,
    everything: Annotated[bool, Form()] = False,
) -> Response:
    """Freeze what was ticked, or all that the query finds, and lead to it."""
    try:
        made = _frozen(visit, purpose, ticked or [], everything=everything)
    except InvalidError as error:
        return queue.show(visit, refusal=error)
    if purpose is Purpose.READ:
        return _to(visit.trail.address("/desk/review", q=f"selection:{made.id}"))
    choice = f"?choice={Choice.LOT}" if purpose is Purpose.SAMPLE else ""
    return _to(f"/desk/selections/{made.id}{choice}")


@router.get("/{selection_id}")
def selection_page(
    visit: Visiting, selection_id: SelectionId, choice: Choice | None = None
) -> Response:
    """Show what was frozen, and what can be done with all of it."""
    return _show(visit, selection_id, chosen=Chosen(choice=choice))


@router.post("/{selection_id}/decision")
def decide(visit: Reviewing, selection_id: SelectionId, chosen: AsChosen) -> Response:
    """Decide alike on all of it; a second click shows what the first one did."""
    if bulks.outcome(visit.session, selection_id) is not None:
        return _to(f"/desk/selections/{selection_id}")
    try:
        with visit.session.begin_nested():
            done = _do(visit, selection_id, chosen)
    except (ConflictError, InvalidError) as error:
        return _show(visit, selection_id, chosen=chosen, refusal=error)
    if isinstance(done, Lot):
        return _to(f"/desk/lots/{done.id}")
    return _show(visit, selection_id, result=done)


@router.post("/{selection_id}/reversal")
def revert(visit: Reviewing, approver: Approver, selection_id: SelectionId) -> Response:
    """Reopen all that was decided with it and nobody has decided anew since."""
    done = bulks.revert(visit.session, selection_id, account=approver.account, client=Client.DESK)
    return _show(visit, selection_id, result=done)


def _frozen(
    visit: Visit, purpose: Purpose, ticked: Sequence[UUID], *, everything: bool
) -> Selection:
    of_all = everything or purpose is Purpose.SAMPLE
    if not ticked and not of_all:
        raise InvalidError("tick the texts first, or choose everything that the search finds")
    search = visit.search("reviews:write")
    return selections.freeze(
        visit.session,
        search.clean if purpose is Purpose.SAMPLE else search,
        account=visit.principal.account,
        only=None if of_all else [AnalysisId(one) for one in ticked],
    )


def _do(visit: Visit, selection_id: SelectionId, chosen: Chosen) -> BulkResult | Lot:
    if chosen.choice is None:
        raise InvalidError("choose what to do with these texts")
    if chosen.choice is not Choice.REJECT:
        places.require(visit.session, visit.principal, "approvals:write", selection_id=selection_id)
    if chosen.choice is Choice.LOT:
        return _lot(visit, selection_id, chosen)
    is_rejection = chosen.choice is Choice.REJECT
    return bulks.decide(
        visit.session,
        selection_id,
        expected_count=chosen.number,
        decision=Decision.REJECTED if is_rejection else Decision.APPROVED,
        account=visit.principal.account,
        client=Client.DESK,
        reason=chosen.reason if is_rejection else None,
        note=chosen.note if is_rejection and chosen.note.strip() else None,
    )


def _lot(visit: Visit, selection_id: SelectionId, chosen: Chosen) -> Lot:
    if chosen.collection_id is None:
        raise InvalidError("choose the collection: a lot is of one")
    return bulks.sample(
        visit.session,
        selection_id,
        expected_count=chosen.number,
        collection=collections.get(visit.session, CollectionId(chosen.collection_id)),
        plan=chosen.plan,
        account=visit.principal.account,
    )


def _show(
    visit: Visit,
    selection_id: SelectionId,
    *,
    chosen: Chosen | None = None,
    refusal: PredellaError | None = None,
    result: BulkResult | None = None,
) -> Response:
    session, account = visit.session, visit.principal.account
    selection = selections.get(session, selection_id)
    within = selections.collections(session, selection_id)
    return page(
        visit.request,
        "selection.html",
        principal=visit.principal,
        status=status_of(refusal) if refusal else HTTPStatus.OK,
        selection=selection,
        collections=within,
        opened=selections.opened(session, selection_id),
        opened_by_me=selections.opened(session, selection_id, account=account),
        outcome=bulks.outcome(session, selection_id),
        is_mine=selection.account_id == account.id,
        is_expired=clock.now() > selection.expires_at,
        may_approve=all(visit.principal.may("approvals:write", one.id) for one in within),
        may_review=all(visit.principal.may("reviews:write", one.id) for one in within),
        chosen=chosen or Chosen(),
        reasons=list(RejectionReason),
        plans=TERMS,
        refusal=refusal,
        kind=kind_of(type(refusal)).rpartition("/")[2] if refusal else None,
        result=result,
        left=_left(visit, result.refused) if result else [],
    )


def _left(visit: Visit, refused: Sequence[Refused]) -> list[Left]:
    by_cause = {why: [one.analysis_id for one in refused if one.why is why] for why in Hindrance}
    return [
        Left(why, len(ids), analyses.object_numbers(visit.session, ids[:_NAMED]))
        for why, ids in by_cause.items()
        if ids
    ]


def _to(address: str) -> Response:
    return RedirectResponse(address, HTTPStatus.SEE_OTHER)
