"""Terms: what each key of a query means, as a condition on a row of ``standing``.

A further key is a function of its values and of who asks, and a line in ``_KEYS``.
"""

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    and_,
    exists,
    func,
    not_,
    or_,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from predella import clock, db
from predella.checks import CheckName, Severity
from predella.errors import QueryError
from predella.formats.query import Operator, Query, Term, Value
from predella.ids import Reach
from predella.models import (
    Analysis,
    Claim,
    Collection,
    Item,
    LotMember,
    OpenFinding,
    Prompt,
    PromptKind,
    Release,
    Remark,
    ReviewState,
    Revision,
    SelectionMember,
    Standing,
)

Values = Sequence[Value]
Condition = ColumnElement[bool]

_NAMED = 20
"""The most collections that an error names."""
_NOBODY = UUID(int=0)

_COMPARE: Mapping[Operator, Callable[[Any, Any], Any]] = {
    Operator.EQUAL: operator.eq,
    Operator.LESS: operator.lt,
    Operator.AT_MOST: operator.le,
    Operator.MORE: operator.gt,
    Operator.AT_LEAST: operator.ge,
}


def require_known(session: Session, query: Query) -> None:
    """Look at every term.

    Raises:
        QueryError: a key or a value is unknown; it says what is known.
    """
    for term in query.terms:
        _condition(term, _NOBODY)
    named = [value for term in query.terms if term.key == "collection" for value in term.values]
    if named:
        _require_collections(session, named, query.within)


def states(query: Query) -> list[ReviewState]:
    """Return the states that a query leaves open."""
    wanted = [term for term in query.terms if term.key == "state"]
    return [
        state
        for state in ReviewState
        if all((state in _states(term.values)) is not term.negated for term in wanted)
    ]


def conditions(query: Query, account_id: UUID) -> list[Condition]:
    """Return what must hold for this account, but for the state; where it may look, too."""
    asked = [_condition(term, account_id) for term in query.terms if term.key != "state"]
    return [*asked, db.inside(Standing.collection_id, query.within)]


def _require_collections(session: Session, named: Values, within: Reach) -> None:
    """Tell a slug that nothing has from a collection in which nothing is found."""
    slugs = {value.text for value in named}
    seen = select(Collection.slug).where(db.inside(Collection.id, within))
    known = set(session.scalars(seen.where(Collection.slug.in_(slugs))))
    for value in named:
        if value.text not in known:
            first = session.scalars(seen.order_by(Collection.slug).limit(_NAMED + 1)).all()
            raise QueryError(value.position, _no_collection(value.text, first))


def _no_collection(slug: str, known: Sequence[str]) -> str:
    if not known:
        return f"no collection is called {slug!r}; there is none yet"
    more = ", ..." if len(known) > _NAMED else ""
    return f"no collection is called {slug!r}; there are {', '.join(known[:_NAMED])}{more}"


def _condition(term: Term, account_id: UUID) -> Condition:
    meaning = _words if term.key is None else _KEYS.get(term.key)
    if meaning is None:
        known = ", ".join(_KEYS)
        sentence = f"unknown key {term.key!r}; known are {known}; quote what is no key"
        raise QueryError(term.position, sentence)
    holds = meaning(term.values, account_id)
    return not_(holds) if term.negated else holds


def _state(values: Values, _account_id: UUID) -> Condition:
    return Standing.state.in_(_states(values))


def _states(values: Values) -> list[ReviewState]:
    found: set[ReviewState] = set()
    for value in values:
        limit = ReviewState(_one_of(value, [*ReviewState], plain=False))
        compare = _COMPARE[value.operator]
        found.update(state for state in ReviewState if compare(state.rank, limit.rank))
    return [state for state in ReviewState if state in found]


def _check(values: Values, _account_id: UUID) -> Condition:
    named = {_one_of(value, [*CheckName, "none", "any"]) for value in values}
    wholly = {"none": _clean(), "any": not_(_clean())}
    found = [wholly[name] for name in sorted(named & wholly.keys())]
    if checks := named - wholly.keys():
        found.append(_flagged(OpenFinding.check_name.in_(checks)))
    return or_(*found)


def _clean() -> Condition:
    # The last one lets an index in this order skip the others.
    return and_(Standing.hard == 0, Standing.soft == 0, Standing.info == 0, Standing.calm >= 0)


def _severity(values: Values, _account_id: UUID) -> Condition:
    counted = {
        Severity.HARD: Standing.hard,
        Severity.SOFT: Standing.soft,
        Severity.INFO: Standing.info,
    }
    return or_(*(counted[Severity(_one_of(value, [*Severity]))] > 0 for value in values))


def _is(values: Values, account_id: UUID) -> Condition:
    known = {"held": _held, "mine": _mine, "claimed": _claimed}
    return or_(*(known[_one_of(value, [*known])](account_id) for value in values))


def _held(_account_id: UUID) -> Condition:
    return Standing.hard > 0


def _mine(account_id: UUID) -> Condition:
    """Say that the newest step is this account's: an amendment or a decision, an undo too."""
    # Where nobody took any step, "not mine" has to be true and not NULL.
    return and_(Standing.account_id.is_not(None), Standing.account_id == account_id)


def _claimed(_account_id: UUID) -> Condition:
    return exists().where(Claim.analysis_id == Standing.analysis_id, Claim.until > clock.now())


def _has(values: Values, _account_id: UUID) -> Condition:
    for value in values:
        _one_of(value, ["comment"])
    return exists().where(Remark.analysis_id == Standing.analysis_id)


def _flagged(which: Condition) -> Condition:
    return Standing.analysis_id.in_(select(OpenFinding.analysis_id).where(which))


def _collection(values: Values, _account_id: UUID) -> Condition:
    slugs = [_plain(value) for value in values]
    named = select(Collection.id).where(Collection.slug.in_(slugs))
    if len(slugs) == 1:
        return Standing.collection_id == named.scalar_subquery()
    return Standing.collection_id.in_(named)


def _confidence(values: Values, _account_id: UUID) -> Condition:
    compared = (_COMPARE[value.operator](Standing.confidence, _share(value)) for value in values)
    return or_(*compared)


def _object(values: Values, _account_id: UUID) -> Condition:
    matching = or_(*(_numbered(_plain(value)) for value in values))
    return select(Item.id).where(Item.analysis_id == Standing.analysis_id, matching).exists()


def _numbered(pattern: str) -> Condition:
    if pattern.endswith("*"):
        return Item.object_number.startswith(pattern.removesuffix("*"), autoescape=True)
    return Item.object_number == pattern


def _submission(values: Values, _account_id: UUID) -> Condition:
    ids = [_uuid(value) for value in values]
    return Standing.analysis_id.in_(select(Item.analysis_id).where(Item.submission_id.in_(ids)))


def _selection(values: Values, _account_id: UUID) -> Condition:
    frozen = SelectionMember.selection_id.in_([_uuid(value) for value in values])
    return Standing.analysis_id.in_(select(SelectionMember.analysis_id).where(frozen))


def _sample(values: Values, _account_id: UUID) -> Condition:
    drawn = LotMember.lot_id.in_([_uuid(value) for value in values])
    return Standing.analysis_id.in_(
        select(LotMember.analysis_id).where(drawn, LotMember.sample_number.is_not(None))
    )


def _kind(values: Values, _account_id: UUID) -> Condition:
    kinds = [PromptKind(_one_of(value, [*PromptKind])) for value in values]
    releases = select(Release.id).join(Prompt, Prompt.id == Release.prompt_id)
    return _analysis(Analysis.release_id.in_(releases.where(Prompt.kind.in_(kinds))))


def _language(values: Values, _account_id: UUID) -> Condition:
    return _analysis(Analysis.language.in_([_plain(value) for value in values]))


def _analysis(which: Condition) -> Condition:
    return select(Analysis.id).where(Analysis.id == Standing.analysis_id, which).exists()


def _edited(values: Values, _account_id: UUID) -> Condition:
    stands_for = _newest(func.coalesce(Revision.restores_number, Revision.number))
    answers = {_one_of(value, ["yes", "no"]) for value in values}
    return or_(*(stands_for > 0 if answer == "yes" else stands_for == 0 for answer in answers))


def _words(values: Values, _account_id: UUID) -> Condition:
    return _newest(Revision.text).icontains(values[0].text, autoescape=True)


def _newest(what: ColumnElement[Any] | InstrumentedAttribute[Any]) -> ScalarSelect[Any]:
    return (
        select(what)
        .where(Revision.analysis_id == Standing.analysis_id)
        .order_by(Revision.number.desc())
        .limit(1)
        .scalar_subquery()
    )


def _plain(value: Value) -> str:
    if value.operator is not Operator.EQUAL:
        raise QueryError(value.position, f"{value.operator} has no meaning here")
    return value.text


def _one_of(value: Value, known: Sequence[str], *, plain: bool = True) -> str:
    text = _plain(value) if plain else value.text
    if text not in known:
        raise QueryError(value.position, f"unknown value {text!r}; known are {', '.join(known)}")
    return text


def _share(value: Value) -> float:
    try:
        share = float(value.text)
    except ValueError:
        share = math.nan
    if not 0 <= share <= 1:
        raise QueryError(value.position, f"{value.text!r} is no number from 0 to 1")
    return share


def _uuid(value: Value) -> UUID:
    try:
        return UUID(_plain(value))
    except ValueError as error:
        raise QueryError(value.position, f"{value.text!r} is no id") from error


_KEYS: Mapping[str, Callable[[Values, UUID], Condition]] = {
    "state": _state,
    "check": _check,
    "severity": _severity,
    "is": _is,
    "has": _has,
    "collection": _collection,
    "conf": _confidence,
    "object": _object,
    "edited": _edited,
    "submission": _submission,
    "selection": _selection,
    "sample": _sample,
    "kind": _kind,
    "language": _language,
}
