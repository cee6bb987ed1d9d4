"""The trail: along which queue somebody reads, carried from page to page in the address."""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, Query, Request

from api.dependencies import AnyReader, AnyReviewer, DbSession, Reader, Reviewer
from predella.ids import Reach
from predella.services import searches
from predella.services.accounts import Principal
from predella.services.searches import Order, Search

TO_DO = "state:needs_review"
"""What is looked for before anybody has said anything else."""


@dataclass(frozen=True)
class Trail:
    """A query, and the order in which what it finds is read."""

    query: str
    order: Order

    def address(self, path: str, **further: str | None) -> str:
        """Return the address of a page on this trail."""
        said = {"q": self.query, "order": self.order.value} | further
        usual = {"q": TO_DO, "order": Order.RISK.value}
        kept = {key: value for key, value in said.items() if value and usual.get(key) != value}
        return f"{path}?{urlencode(kept)}" if kept else path


def _trail(q: Annotated[str, Query(max_length=1_000)] = TO_DO, order: Order = Order.RISK) -> Trail:
    return Trail(q.strip() or TO_DO, order)


@dataclass(frozen=True)
class Visit:
    """One request for a page of the desk."""

    request: Request
    session: DbSession
    principal: Principal
    trail: Trail

    def search(self, scope: str = "collections:read") -> Search:
        """Read the query of the trail, as whoever visits asks it, where they may do this.

        Raises:
            QueryError: it cannot be understood.
        """
        who = self.principal
        return searches.parse(
            self.session,
            self.trail.query,
            account=who.account,
            within=who.reach(scope),
            withheld_within=who.closed_reach,
        )

    @property
    def visible(self) -> Reach:
        """The collections whose texts they may see."""
        return self.principal.reach("collections:read")

    @property
    def wants_panel(self) -> bool:
        """Whether our script asks, which takes the next page as the answer to a decision."""
        return "x-desk" in self.request.headers


def _visit(
    request: Request, session: DbSession, reader: Reader, trail: Annotated[Trail, Depends(_trail)]
) -> Visit:
    return Visit(request, session, reader, trail)


def _reviewing(
    request: Request,
    session: DbSession,
    reviewer: Reviewer,
    trail: Annotated[Trail, Depends(_trail)],
) -> Visit:
    return Visit(request, session, reviewer, trail)


def _browsing(
    request: Request,
    session: DbSession,
    reader: AnyReader,
    trail: Annotated[Trail, Depends(_trail)],
) -> Visit:
    return Visit(request, session, reader, trail)


def _beginning(
    request: Request,
    session: DbSession,
    reviewer: AnyReviewer,
    trail: Annotated[Trail, Depends(_trail)],
) -> Visit:
    return Visit(request, session, reviewer, trail)


# Of one text, which the path names.
Visiting = Annotated[Visit, Depends(_visit)]
Reviewing = Annotated[Visit, Depends(_reviewing)]
# Of a queue: it has only what its reader may see, or decide on.
Browsing = Annotated[Visit, Depends(_browsing)]
Beginning = Annotated[Visit, Depends(_beginning)]
