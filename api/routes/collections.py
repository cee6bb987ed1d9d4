from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Response

from api.dependencies import AnyReader, DbSession, Keeper, Reader
from api.idempotency import Router
from api.paging import ById, Rows
from api.preconditions import Seen, marked, require_seen
from api.schemas.base import Page
from api.schemas.collections import CollectionIn, CollectionOut, CollectionPatch
from predella.checks import Thresholds
from predella.ids import CollectionId
from predella.models import Collection
from predella.services import collections, rules
from predella.services.rules import ReviewRules

router = Router(prefix="/collections", tags=["collections"])


def _held(session: DbSession, collection_id: CollectionId) -> Collection:
    return collections.get(session, collection_id, lock=True)


Held = Annotated[Collection, Depends(_held)]
"""A collection that nobody else changes until the transaction ends."""


@router.get("", response_model=Page[CollectionOut])
def list_collections(session: DbSession, reader: AnyReader, paging: ById) -> Rows[Collection]:
    """List the collections."""
    rows = collections.listed(
        session, within=reader.reach("collections:read"), after=paging.after, limit=paging.limit
    )
    return paging.page(rows, lambda row: row.id)


@router.post("", status_code=HTTPStatus.CREATED, response_model=CollectionOut)
def create_collection(session: DbSession, _keeper: Keeper, body: CollectionIn) -> Collection:
    """Open a collection on a bucket that the operator allows."""
    return collections.create(session, **body.model_dump())


@router.get("/{collection_id}")
def get_collection(
    session: DbSession, _reader: Reader, collection_id: CollectionId, response: Response
) -> CollectionOut:
    """Show one collection; `ETag` names this state."""
    return marked(response, CollectionOut.model_validate(collections.get(session, collection_id)))


@router.patch("/{collection_id}")
def change_collection(
    session: DbSession,
    _keeper: Keeper,
    collection: Held,
    seen: Seen,
    body: CollectionPatch,
    response: Response,
) -> CollectionOut:
    """Choose what exports say of a collection, and how it asks and numbers from now on."""
    require_seen(seen, CollectionOut.model_validate(collection))
    collections.change(session, collection, body.facts())
    if body.prompt is not None:
        collections.choose_prompt(session, collection, body.prompt)
    collections.choose_numbering(
        session, collection, pattern=body.number_pattern, field=body.number_field
    )
    return marked(response, CollectionOut.model_validate(collection))


@router.get("/{collection_id}/thresholds")
def get_thresholds(
    session: DbSession, _reader: Reader, collection_id: CollectionId, response: Response
) -> Thresholds:
    """Show from where on the checks speak in this collection; `ETag` names this state."""
    return marked(response, collections.thresholds_of(collections.get(session, collection_id)))


@router.put("/{collection_id}/thresholds")
def choose_thresholds(
    session: DbSession,
    _keeper: Keeper,
    collection: Held,
    seen: Seen,
    body: Thresholds,
    response: Response,
) -> Thresholds:
    """Choose all of them; what is not named is as usual. Texts to come are checked so."""
    require_seen(seen, collections.thresholds_of(collection))
    chosen = body.model_dump(mode="json")
    return marked(response, collections.choose_thresholds(session, collection, chosen))


@router.get("/{collection_id}/review-rules")
def get_review_rules(
    session: DbSession, _reader: Reader, collection_id: CollectionId, response: Response
) -> ReviewRules:
    """Show how texts of this collection are decided on; `ETag` names this state."""
    return marked(response, rules.of(collections.get(session, collection_id)))


@router.put("/{collection_id}/review-rules")
def choose_review_rules(
    session: DbSession,
    _keeper: Keeper,
    collection: Held,
    seen: Seen,
    body: ReviewRules,
    response: Response,
) -> ReviewRules:
    """Choose all of them; what is not named is as usual. They hold from now on."""
    require_seen(seen, rules.of(collection))
    return marked(response, rules.choose(session, collection, body.model_dump(mode="json")))
