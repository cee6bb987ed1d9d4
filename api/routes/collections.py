from http import HTTPStatus

from api.dependencies import DbSession, Keeper, Reader
from api.idempotency import Router
from api.paging import ById, Rows
from api.schemas.base import Page
from api.schemas.collections import CollectionIn, CollectionOut, CollectionPatch
from predella.checks import Thresholds
from predella.ids import CollectionId
from predella.models import Collection
from predella.services import collections, rules
from predella.services.rules import ReviewRules

router = Router(prefix="/collections", tags=["collections"])


@router.get("", response_model=Page[CollectionOut])
def list_collections(session: DbSession, _reader: Reader, paging: ById) -> Rows[Collection]:
    """List the collections."""
    rows = collections.listed(session, after=paging.after, limit=paging.limit)
    return paging.page(rows, lambda row: row.id)


@router.post("", status_code=HTTPStatus.CREATED, response_model=CollectionOut)
def create_collection(session: DbSession, _keeper: Keeper, body: CollectionIn) -> Collection:
    """Open a collection on a bucket that the operator allows."""
    return collections.create(session, **body.model_dump())


@router.get("/{collection_id}", response_model=CollectionOut)
def get_collection(session: DbSession, _reader: Reader, collection_id: CollectionId) -> Collection:
    """Show one collection."""
    return collections.get(session, collection_id)


@router.patch("/{collection_id}", response_model=CollectionOut)
def change_collection(
    session: DbSession, _keeper: Keeper, collection_id: CollectionId, body: CollectionPatch
) -> Collection:
    """Choose what a collection asks about the pictures that are handed in from now on."""
    collection = collections.get(session, collection_id)
    collections.choose_prompt(session, collection, body.prompt)
    return collection


@router.get("/{collection_id}/thresholds")
def get_thresholds(session: DbSession, _reader: Reader, collection_id: CollectionId) -> Thresholds:
    """Show from where on the checks speak in this collection."""
    return collections.thresholds_of(collections.get(session, collection_id))


@router.put("/{collection_id}/thresholds")
def choose_thresholds(
    session: DbSession, _keeper: Keeper, collection_id: CollectionId, body: Thresholds
) -> Thresholds:
    """Choose all of them; what is not named is as usual. Texts to come are checked so."""
    collection = collections.get(session, collection_id)
    return collections.choose_thresholds(session, collection, body.model_dump(mode="json"))


@router.get("/{collection_id}/review-rules")
def get_review_rules(
    session: DbSession, _reader: Reader, collection_id: CollectionId
) -> ReviewRules:
    """Show how texts of this collection are decided on."""
    return rules.of(collections.get(session, collection_id))


@router.put("/{collection_id}/review-rules")
def choose_review_rules(
    session: DbSession, _keeper: Keeper, collection_id: CollectionId, body: ReviewRules
) -> ReviewRules:
    """Choose all of them; what is not named is as usual. They hold from now on."""
    collection = collections.get(session, collection_id)
    return rules.choose(session, collection, body.model_dump(mode="json"))
