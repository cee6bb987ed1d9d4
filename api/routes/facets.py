from typing import Annotated

from fastapi import Query

from api.dependencies import AnyReader, DbSession
from api.idempotency import Router
from api.schemas.facets import FacetsOut
from predella.ids import CollectionId
from predella.services import searches
from predella.services.searches import Facets

router = Router(prefix="/facets", tags=["analyses"])


@router.get("", response_model=FacetsOut)
def get_facets(
    session: DbSession,
    reader: AnyReader,
    collection_id: Annotated[CollectionId | None, Query()] = None,
) -> Facets:
    """Count the analyses of a collection, or of all, by state and by what is open."""
    return searches.facets(session, collection_id, within=reader.reach("collections:read"))
