"""The queue: what there is to read, in which order, and how much of it is left."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from math import exp
from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.desk.pictures import address as picture
from api.desk.rendering import page
from api.desk.trail import Browsing, Visit
from predella.errors import InvalidError
from predella.ids import AnalysisId, CollectionId
from predella.models import Claim, Collection, ReviewState
from predella.services import analyses, claims, collections, paces, reviews, searches, selections
from predella.services.analyses import AnalysisView
from predella.services.searches import Facets, Order, Page

router = APIRouter(prefix="/desk")

_ROWS = 50
_EXCERPT = 160
"""Characters of a text in a row."""


@dataclass(frozen=True)
class Row:
    """One text in the list."""

    view: AnalysisView
    claim: Claim | None
    thumbnail: str

    @property
    def excerpt(self) -> str:
        """The first words of the text."""
        words = " ".join(self.view.revision.text.split())
        return words if len(words) <= _EXCERPT else f"{words[:_EXCERPT].rpartition(' ')[0]} …"

    @property
    def confidence(self) -> float:
        """How sure the model was: the geometric mean of the probabilities of its tokens."""
        return exp(self.view.analysis.mean_logprob)

    @property
    def checks(self) -> Sequence[str]:
        """The open findings' checks, each once, the loudest first."""
        still_open = (one.finding for one in self.view.findings if not one.is_dismissed)
        return list(dict.fromkeys(finding.check_name for finding in still_open))


@dataclass(frozen=True)
class Found:
    """What a query finds: a page of it, and how many there are."""

    page: Page
    count: int


@router.get("")
def queue(
    visit: Browsing,
    after: Annotated[str | None, Query(max_length=200)] = None,
    *,
    ticked: bool = False,
) -> Response:
    """Show what a query finds, page by page; with all of the page ticked, if so wished."""
    return show(visit, after, ticked=ticked)


def show(
    visit: Visit,
    after: str | None = None,
    *,
    ticked: bool = False,
    refusal: InvalidError | None = None,
) -> Response:
    """Return the queue; with a refusal, why nothing could be done with what was chosen in it."""
    try:
        found, problem = _found(visit, after), None
    except InvalidError as error:
        found, problem = Found(Page([], None), 0), str(error)
    known = collections.listed(visit.session, within=visit.visible, limit=200)
    chosen = _chosen(visit.trail.query, known)
    facets = searches.facets(
        visit.session, CollectionId(chosen.id) if chosen else None, within=visit.visible
    )
    return page(
        visit.request,
        "queue.html",
        principal=visit.principal,
        status=HTTPStatus.UNPROCESSABLE_ENTITY if problem or refusal else HTTPStatus.OK,
        trail=visit.trail,
        orders=list(Order),
        rows=_rows(visit, found.page.ids),
        next=found.page.next,
        found=found.count,
        after=after,
        ticked=ticked,
        refusal=refusal,
        problem=problem,
        facets=facets,
        collections=known,
        chosen=chosen,
        most=selections.MAX_MEMBERS,
        may_review=visit.principal.may_somewhere("reviews:write"),
        may_approve=visit.principal.may_somewhere("approvals:write"),
        latest=reviews.latest(visit.session, account=visit.principal.account, within=visit.visible),
        **_progress(visit, facets),
    )


def _found(visit: Visit, after: str | None) -> Found:
    search = visit.search()
    page = searches.page(visit.session, search, order=visit.trail.order, after=after, limit=_ROWS)
    is_all = after is None and page.next is None
    return Found(page, len(page.ids) if is_all else searches.count(visit.session, search))


def _rows(visit: Visit, ids: Sequence[AnalysisId]) -> list[Row]:
    views = {view.id: view for view in analyses.views(visit.session, ids)}
    held = claims.of(visit.session, ids)
    return [
        Row(views[id_], held.get(id_), picture(views[id_].image, "thumbnail.jpg"))
        for id_ in ids
        if id_ in views
    ]


def _chosen(query: str, known: Sequence[Collection]) -> Collection | None:
    """Return the one collection that a query keeps to, if it does."""
    named = [term.removeprefix("collection:") for term in query.split() if "collection:" in term]
    return next((one for one in known if [one.slug] == named), None)


def _progress(visit: Visit, facets: Facets) -> Mapping[str, object]:
    total = sum(count for state, count in facets.states.items() if state != ReviewState.SUPERSEDED)
    left = sum(facets.states[state] for state in searches.OPEN_STATES)
    pace = paces.of(visit.session, visit.principal.account)
    return {"left": left, "total": total, "to_go": pace * left if pace and left else None}
