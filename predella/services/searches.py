"""Searches: which analyses a query finds, in which order, page by page, and how many.

A page costs what its rows cost and not what the collection costs. Two things cannot keep to
that: words are looked for in every text that the other terms leave, so give them a collection;
and who may see more than ten collections, but not all, has a page sorted from all that they
may see.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Select, Text, cast, func, tuple_, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session

from predella import db
from predella.checks import CHECKS, CheckName
from predella.errors import InvalidError
from predella.formats import query as grammar
from predella.formats.query import Query, Term, Value
from predella.ids import AnalysisId, CollectionId, Reach
from predella.models import Account, OpenFinding, ReviewState, Standing
from predella.services import terms

_MAX_PARTS = 10
"""Collections that a page looks in one by one: beyond, planning costs more than sorting."""
OPEN_STATES = (ReviewState.NEEDS_REVIEW, ReviewState.NEEDS_SECOND)
"""Those in which somebody still has to decide."""


class Order(StrEnum):
    """What comes first."""

    RISK = "risk"
    """Held by a hard finding, then by the number of soft ones, then the least confident."""
    CONFIDENCE = "confidence"
    """The least confident."""
    OBJECT = "object"
    """The lowest accession number, letter by letter."""
    NEWEST = "newest"
    OLDEST = "oldest"
    RANDOM = "random"
    """Shuffled, always alike: a cursor is good tomorrow, too."""


@dataclass(frozen=True)
class Search:
    """A query, and who asks: what ``is:mine`` finds depends on it."""

    query: Query
    account_id: UUID
    withheld_within: Reach = None
    """Where it finds what is withheld: not where they only read."""

    def __str__(self) -> str:
        """Return the query in its canonical form."""
        return str(self.query)

    @property
    def still_open(self) -> "Search":
        """What of it somebody still has to decide."""
        values = tuple(Value(state.value) for state in OPEN_STATES)
        narrowed = (*self.query.terms, Term("state", values))
        return replace(self, query=replace(self.query, terms=narrowed))

    @property
    def clean(self) -> "Search":
        """What of it no check has anything to say of."""
        narrowed = (*self.query.terms, Term("check", (Value("none"),)))
        return replace(self, query=replace(self.query, terms=narrowed))

    @property
    def states(self) -> Sequence[ReviewState]:
        """The states that it leaves open."""
        return terms.states(self.query)

    @property
    def conditions(self) -> Sequence[ColumnElement[bool]]:
        """What must hold of a standing, but for the state."""
        found = terms.conditions(self.query, self.account_id)
        if self.withheld_within is None or ReviewState.WITHHELD not in self.states:
            return found
        may_see = db.inside(Standing.collection_id, self.withheld_within)
        return [*found, (Standing.state != ReviewState.WITHHELD) | may_see]


@dataclass(frozen=True)
class Page:
    """Some of what a query finds."""

    ids: Sequence[AnalysisId]
    next: str | None
    """Where the next page begins; None on the last one."""


@dataclass(frozen=True)
class Facets:
    """How many there are of what: of each state, and among those still to be decided."""

    states: Mapping[ReviewState, int]
    checks: Mapping[CheckName, int]
    """Texts that a check has something open to say of."""
    held: int
    """By a hard finding."""
    clean: int
    """Without any open finding."""


@dataclass(frozen=True)
class _Sorting:
    """An order as the database and a cursor have it."""

    key: Callable[[], ColumnElement[Any] | InstrumentedAttribute[Any]] | None = None
    """What is compared before the id."""
    read: Callable[[str], Any] = str
    """From a cursor."""
    downwards: bool = False

    @property
    def columns(self) -> list[Any]:
        """What is compared, in turn."""
        return [*([self.key()] if self.key else []), Standing.analysis_id]

    def clauses(self) -> list[Any]:
        """Return the terms of ``ORDER BY``."""
        return [one.desc() if self.downwards else one.asc() for one in self.columns]

    def behind(self, cursor: str) -> ColumnElement[bool]:
        """Return what holds for those behind a cursor.

        Raises:
            InvalidError: it is not a cursor of this order.
        """
        before, _, last = cursor.rpartition(" ")
        if bool(before) is not bool(self.key) or "\0" in cursor:
            raise _no_cursor()
        try:
            place = [*([self.read(before)] if self.key else []), UUID(last)]
        except ValueError as error:
            raise _no_cursor() from error
        here = tuple_(*self.columns)
        return here < place if self.downwards else here > place


_SORTINGS = {
    Order.RISK: _Sorting(lambda: Standing.calm, float),
    Order.CONFIDENCE: _Sorting(lambda: Standing.confidence, float),
    Order.OBJECT: _Sorting(lambda: Standing.object_number, str),
    Order.NEWEST: _Sorting(downwards=True),
    Order.OLDEST: _Sorting(),
    Order.RANDOM: _Sorting(lambda: func.md5(cast(Standing.analysis_id, Text))),
}


def parse(
    session: Session,
    text: str,
    *,
    account: Account,
    within: Reach,
    withheld_within: Reach = None,
) -> Search:
    """Read what an account asks for, and make sure that its keys and values exist.

    It looks only ``within`` the collections that whoever asks may see: whatever is done with
    the query, nothing else is found. What is withheld it finds only ``withheld_within`` these.

    Raises:
        QueryError: it cannot be understood; it says where, and what is known.
    """
    query = replace(grammar.parse(text), within=within)
    terms.require_known(session, query)
    return Search(query, account.id, withheld_within)


def select(search: Search, *, order: Order = Order.RISK) -> Select[UUID]:
    """Return the statement that finds the ids of the analyses, in this order."""
    found = sa.select(Standing.analysis_id).where(*search.conditions)
    if len(search.states) < len(ReviewState):
        found = found.where(_within(search.states))
    return found.order_by(*_SORTINGS[order].clauses())


def clauses(order: Order) -> list[Any]:
    """Return the terms of ``ORDER BY`` by which standings come in this order."""
    return _SORTINGS[order].clauses()


def page(
    session: Session,
    search: Search,
    *,
    order: Order = Order.RISK,
    after: str | None = None,
    limit: int = 50,
    also: Sequence[ColumnElement[bool]] = (),
) -> Page:
    """Return the first that are found, or the first behind a cursor.

    ``also`` are further conditions on a standing.

    Raises:
        InvalidError: it is not a cursor of this order.
    """
    sorting = _SORTINGS[order]
    further = [*also] if after is None else [*also, sorting.behind(after)]
    # An index knows the order within each collection and state, and only there.
    parts = [
        sa.select(*sorting.columns)
        .where(*one.conditions, *further, Standing.state == state)
        .order_by(*sorting.clauses())
        .limit(limit + 1)
        for one in _by_collection(search)
        for state in search.states
    ]
    rows = session.execute(_merged(parts, sorting, limit + 1)).all() if parts else []
    shown = rows[:limit]
    more = len(rows) > len(shown)
    return Page(
        [AnalysisId(row[-1]) for row in shown],
        " ".join(map(str, shown[-1])) if more and shown else None,
    )


def count(session: Session, search: Search) -> int:
    """Return how many there are."""
    found = select(search).order_by(None).subquery()
    return session.scalars(sa.select(func.count()).select_from(found)).one()


def facets(session: Session, collection_id: CollectionId | None = None, *, within: Reach) -> Facets:
    """Return how many analyses of a collection, or of all of these, there are of what."""
    clean = (Standing.hard == 0) & (Standing.soft == 0) & (Standing.info == 0)
    counted = sa.select(
        Standing.state,
        func.count(),
        func.count().filter(Standing.hard > 0),
        func.count().filter(clean),
    ).group_by(Standing.state)
    counted = counted.where(db.inside(Standing.collection_id, within))
    flagged = (
        sa.select(OpenFinding.check_name, func.count(OpenFinding.analysis_id.distinct()))
        .join(Standing, Standing.analysis_id == OpenFinding.analysis_id)
        .where(Standing.state.in_(OPEN_STATES), db.inside(OpenFinding.collection_id, within))
        .group_by(OpenFinding.check_name)
    )
    if collection_id is not None:
        counted = counted.where(Standing.collection_id == collection_id)
        flagged = flagged.where(OpenFinding.collection_id == collection_id)
    rows = session.execute(counted).all()
    by_state = {state: total for state, total, *_ in rows}
    by_check = dict(session.execute(flagged).all())
    return Facets(
        states={state: by_state.get(state, 0) for state in ReviewState},
        checks={one.name: by_check[one.name] for one in CHECKS if one.name in by_check},
        held=sum(held for state, _, held, _ in rows if state in OPEN_STATES),
        clean=sum(clean for state, _, _, clean in rows if state in OPEN_STATES),
    )


def _by_collection(search: Search) -> Sequence[Search]:
    """Return a search as one for each collection that it looks in, unless they are many."""
    within = search.query.within
    if within is None or len(within) > _MAX_PARTS:
        return [search]
    alone = (replace(search.query, within=frozenset({one})) for one in sorted(within))
    return [replace(search, query=query) for query in alone]


def _within(states: Sequence[ReviewState]) -> ColumnElement[bool]:
    return Standing.state == states[0] if len(states) == 1 else Standing.state.in_(states)


def _merged(parts: Sequence[Select[Any]], sorting: _Sorting, limit: int) -> Select[Any]:
    together = union_all(*parts).subquery()
    ordered = [one.desc() if sorting.downwards else one.asc() for one in together.c]
    return sa.select(*together.c).order_by(*ordered).limit(limit)


def _no_cursor() -> InvalidError:
    return InvalidError("this is not a cursor of a list in this order")
