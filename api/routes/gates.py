from api.dependencies import DbSession, Reader, Submitter
from api.idempotency import Router
from api.schemas.gates import GatesOut, GatesPatch
from predella.ids import CollectionId
from predella.models import ObjectGate
from predella.services import collections, gates
from predella.services.gates import Change

router = Router(prefix="/collections/{collection_id}/objects", tags=["collections"])


@router.get("/{object_number:path}/gates", response_model=GatesOut)
def get_gates(
    session: DbSession, _reader: Reader, collection_id: CollectionId, object_number: str
) -> ObjectGate:
    """Show what may be done with an object."""
    collections.get(session, collection_id)
    return gates.get(session, collection_id, object_number)


@router.patch("/{object_number:path}/gates", response_model=GatesOut)
def change_gates(
    session: DbSession,
    submitter: Submitter,
    collection_id: CollectionId,
    object_number: str,
    body: GatesPatch,
) -> ObjectGate:
    """Open or close an object: waiting work, the queue and exports obey at once.

    No `If-Match`: what is closed in haste must not be refused for what changed meanwhile.
    """
    collections.get(session, collection_id)
    return gates.change(
        session,
        collection_id,
        object_number,
        Change(**body.model_dump(exclude={"reason"})),
        account=submitter.account,
        reason=body.reason,
    )
