"""Places: the collections that a thing lies in, and who may do something there.

Every thing that an address can name is in one map. An address that names another kind of thing
does not open until that has its line here: see ``api/access.py``.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from predella.errors import NotFoundError, PermissionDeniedError, PredellaError
from predella.ids import AnalysisId
from predella.models import (
    Analysis,
    Collection,
    Control,
    Export,
    Finding,
    Glossary,
    Image,
    Item,
    Lot,
    ObjectGate,
    SelectionMember,
    Sensitivity,
    Standing,
    Submission,
)
from predella.services.accounts import Principal, givers

_Finds = Callable[[UUID], Select[UUID]]


def _own(table: Any) -> _Finds:
    return lambda id_: select(table.collection_id).where(table.id == id_)


def _by_analysis(analysis_id: InstrumentedAttribute[UUID], key: Any) -> _Finds:
    """Find by way of analyses: ``key`` is what the thing is known by."""
    return lambda id_: (
        select(Standing.collection_id)
        .join(analysis_id.class_, analysis_id == Standing.analysis_id)
        .where(key == id_)
    )


def _image_by_analysis(table: Any) -> _Finds:
    pictured = select(Analysis.image_id).join(table, table.analysis_id == Analysis.id)
    return lambda id_: pictured.where(table.id == id_)


def _operation(id_: UUID) -> Select[UUID]:
    either = _own(Submission)(id_).union_all(_own(Export)(id_)).subquery()
    return select(either.c.collection_id)


_LIES_IN: Mapping[str, _Finds] = {
    "analysis_id": lambda id_: select(Standing.collection_id).where(Standing.analysis_id == id_),
    "collection_id": lambda id_: select(Collection.id).where(Collection.id == id_),
    "control_id": _by_analysis(Control.analysis_id, Control.id),
    "export_id": _own(Export),
    "finding_id": _by_analysis(Finding.analysis_id, Finding.id),
    "glossary_id": _own(Glossary),
    "image_id": _own(Image),
    "lot_id": _own(Lot),
    "operation_id": _operation,
    # What a query finds may lie in many.
    "selection_id": _by_analysis(SelectionMember.analysis_id, SelectionMember.selection_id),
    "submission_id": _own(Submission),
}
_SHOWING: Mapping[str, _Finds] = {
    "image_id": lambda id_: select(Image.id).where(Image.id == id_),
    "analysis_id": lambda id_: select(Analysis.image_id).where(Analysis.id == id_),
    "finding_id": _image_by_analysis(Finding),
    "control_id": _image_by_analysis(Control),
}
"""What shows a picture, or speaks of one: the image of each."""
BY_ID = frozenset(_LIES_IN)
"""Names of things by their ids."""
SLUG = "slug"
"""The name of a collection as people call it."""


def of(session: Session, name: str, value: UUID | str) -> Sequence[Collection]:
    """Return the collections that the thing of this name, as ``analysis_id``, lies in."""
    found = select(Collection).order_by(Collection.slug)
    if name == SLUG:
        return session.scalars(found.where(Collection.slug == value)).all()
    return session.scalars(found.where(Collection.id.in_(_LIES_IN[name](UUID(str(value)))))).all()


def forbidden(
    session: Session, principal: Principal, wanted: Sequence[tuple[AnalysisId, str]]
) -> list[PredellaError | None]:
    """Return for each text and scope what keeps somebody from doing that; None where nothing."""
    lies = select(Standing.analysis_id, Collection).join(
        Collection, Collection.id == Standing.collection_id
    )
    named = {analysis_id for analysis_id, _ in wanted}
    rows = session.execute(lies.where(Standing.analysis_id.in_(named)))
    within = {row[0]: row[1] for row in rows}
    return [_why_not(principal, scope, id_, within.get(id_)) for id_, scope in wanted]


def _why_not(
    principal: Principal, scope: str, analysis_id: AnalysisId, within: Collection | None
) -> PredellaError | None:
    if within is None or not principal.scopes_in(within.id):
        return NotFoundError("analysis", analysis_id)
    try:
        principal.require(scope, within)
    except PermissionDeniedError as error:
        return error
    return None


def require(session: Session, principal: Principal, scope: str, **things: UUID | str) -> None:
    """Go on only if somebody may do this wherever these things lie.

    What lies where they may do nothing is to them like what does not exist. A picture of a
    restricted object, and texts about it, are for those who decide there, and not for readers.

    Raises:
        NotFoundError: there is no such thing, as far as they may know.
        PermissionDeniedError: they may see it, but not do this; or may do this nowhere.
    """
    for name, value in things.items():
        within = of(session, name, value)
        if not within or not all(principal.scopes_in(one.id) for one in within):
            principal.require_somewhere(scope)
            raise NotFoundError("collection" if name == SLUG else name.removesuffix("_id"), value)
        for one in within:
            principal.require(scope, one)
            if name in _SHOWING and not principal.sees_closed(one.id):
                _require_unrestricted(session, one, _SHOWING[name](UUID(str(value))))


def _require_unrestricted(session: Session, within: Collection, image_id: Select[UUID]) -> None:
    theirs = select(Item.id, Item.picture_id).join(Image, Image.sha256 == Item.sha256)
    theirs = theirs.where(Image.id.in_(image_id), Item.collection_id == within.id)
    shown = theirs.subquery()
    restricted = (
        select(ObjectGate.object_number)
        .join(Item, Item.object_number == ObjectGate.object_number)
        .where(
            ObjectGate.collection_id == within.id,
            ObjectGate.sensitivity == Sensitivity.RESTRICTED,
            Item.collection_id == within.id,
            Item.id.in_(select(shown.c.id)) | Item.picture_id.in_(select(shown.c.picture_id)),
        )
    )
    if session.scalar(restricted.limit(1)) is not None:
        scope = "reviews:write"
        raise PermissionDeniedError(scope, roles=givers(scope), collection=within.slug)
