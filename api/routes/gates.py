from api.dependencies import DbSession, Reader, Submitter
from api.idempotency import Router
from api.schemas.gates import GatesOut, GatesPatch, ManyGatesOut, ManyGatesPatch
from predella.ids import CollectionId
from predella.services import collections, gates
from predella.services.gates import Change, Counted

router = Router(prefix="/collections/{collection_id}", tags=["collections"])


@router.get("/objects/{object_number:path}/gates")
def get_gates(
    session: DbSession, reader: Reader, collection_id: CollectionId, object_number: str
) -> GatesOut:
    """Show what may be done with an object; the words about it not to who only reads."""
    collections.get(session, collection_id)
    gate = gates.get(session, collection_id, object_number)
    beside = gates.beside(session, collection_id, object_number)
    return GatesOut.of(gate, beside, in_full=reader.sees_closed(collection_id))


@router.patch("/objects/{object_number:path}/gates")
def change_gates(
    session: DbSession,
    submitter: Submitter,
    collection_id: CollectionId,
    object_number: str,
    body: GatesPatch,
) -> GatesOut:
    """Open or close an object: waiting work, the queue and exports obey at once.

    No `If-Match`: what is closed in haste must not be refused for what changed meanwhile.
    """
    collections.get(session, collection_id)
    gate = gates.change(
        session,
        collection_id,
        object_number,
        Change(**body.model_dump(exclude={"reason"})),
        account=submitter.account,
        reason=body.reason,
    )
    return GatesOut.of(gate, gates.beside(session, collection_id, object_number))


@router.patch("/gates", response_model=ManyGatesOut)
def change_many_gates(
    session: DbSession, submitter: Submitter, collection_id: CollectionId, body: ManyGatesPatch
) -> Counted:
    """Open or close up to 10,000 objects at once: all of them, or none.

    A number that is not known is an error, and nothing is changed; a dry run counts what would
    change, and tells which are not known.
    """
    collections.get(session, collection_id)
    wanted = {
        one.object_number: Change(**one.model_dump(exclude={"object_number"}))
        for one in body.objects
    }
    if body.dry_run:
        return gates.count(session, collection_id, wanted)
    return gates.change_many(
        session, collection_id, wanted, account=submitter.account, reason=body.reason
    )
