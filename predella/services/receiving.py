"""One hand-in, read and judged in one transaction."""

import tempfile
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from predella import queue
from predella.errors import ConflictError, InvalidError, RefusedImageError, SourceError
from predella.formats.manifest import Numbering
from predella.ids import CollectionId, SubmissionId
from predella.models import Collection, Item, Submission, SubmissionState
from predella.services import (
    bags,
    headers,
    manifest_gates,
    previews,
    reports,
    sources,
    staging,
    verdicts,
    watching,
)
from predella.services.bags import Bag
from predella.services.reports import Report
from predella.services.sources import Readable
from predella.services.staging import Counted
from predella.services.verdicts import Place
from predella.services.watching import Tell, to_nobody
from predella.storage import Location

_MAX_MANIFEST_BYTES = 2_000_000_000


def receive(
    session: Session, submission: Submission, store: Readable, *, tell: Tell = to_nobody
) -> Report:
    """Read a hand-in: every row becomes an item or a refusal, or the whole is refused.

    Needs the memory of one row, whatever the size; ``tell`` hears how many pictures were looked at.
    Two hand-ins to one collection are judged one after the other, so that the second knows what
    the first brought.

    Raises:
        ConflictError: the submission was received, or taken over, by somebody else.
        UnavailableError: the store does not answer; nothing has happened.
    """
    collection = session.get_one(Collection, submission.collection_id)
    location = Location.parse(submission.source)
    try:
        with session.begin_nested():
            bag = bags.at(location, store)
            manifest = _manifest(location, bag, store)
            place = _place(submission, collection, manifest, bag.payload if bag else location)
            counted = _stage(session, place, manifest, store)
            if bag:
                counted = bags.pin(session, bag, place, counted, store)
            staging.analyze(session)
    except (InvalidError, RefusedImageError) as error:
        _end(session, submission, state=SubmissionState.REFUSED, refusal=str(error))
    else:
        _settle(session, submission, place, counted, store, tell=tell)
        if bag and submission.state is SubmissionState.RECEIVED:
            bags.refuse_missing(session, place)
    return reports.report(session, submission)


def _manifest(location: Location, bag: Bag | None, store: Readable) -> Location | None:
    """A bag holds the catalog's manifest in its payload, or beside it."""
    inside = sources.manifest_in(bag.payload, store) if bag else None
    return inside or sources.manifest_in(location, store)


def _place(
    submission: Submission, collection: Collection, manifest: Location | None, source: Location
) -> Place:
    numbering = Numbering.parse(submission.number_pattern, submission.number_field)
    return Place(
        submission_id=SubmissionId(submission.id),
        collection_id=CollectionId(collection.id),
        bucket=collection.bucket,
        prefix=collection.prefix,
        folder=sources.folder_of(collection, manifest) if manifest else source.key,
        language=collection.language,
        prompt_id=collection.prompt_id,
        preview=submission.preview,
        numbering=numbering,
        has_manifest=manifest is not None,
        one_each=manifest is None and not numbering,
    )


def _stage(session: Session, place: Place, manifest: Location | None, store: Readable) -> Counted:
    staging.open_tables(session)
    if manifest is None:
        staging.stage_objects(session, store.list(place.bucket, place.folder))
        counted = staging.stage_names(session, below=place.folder, numbering=place.numbering)
    else:
        counted = _stage_manifest(session, place, manifest, store)
        staging.stage_objects(session, store.list(place.bucket, place.prefix))
    if not counted.rows:
        raise SourceError(
            f"there is no image in s3://{place.bucket}/{place.folder}"
            if manifest is None
            else f"the manifest {manifest} has a header and no rows"
        )
    return counted


def _stage_manifest(session: Session, place: Place, manifest: Location, store: Readable) -> Counted:
    """Read a copy: a store that stops in the middle is not a broken manifest."""
    with tempfile.TemporaryFile() as copy:
        pinned = store.head(manifest.bucket, manifest.key)
        store.copy_pinned(pinned, copy, max_bytes=_MAX_MANIFEST_BYTES)
        copy.seek(0)
        return staging.stage_manifest(session, copy, name=manifest.key, numbering=place.numbering)


def _settle(
    session: Session,
    submission: Submission,
    place: Place,
    counted: Counted,
    store: Readable,
    *,
    tell: Tell,
) -> None:
    """Look at the pictures, unless the very same was handed in before, and judge the rows."""
    verdicts.find(session, place)
    digest = verdicts.digest(session, place, counted.sha256)
    if same := _handed_in_before(session, place, digest):
        _end_unchanged(session, submission, digest, same)
        return
    with session.begin_nested():
        further = headers.look(session, place, store, tell=watching.noting(submission, tell))
    _judge(session, submission, place, digest, counted.rows + further)


def _judge(
    session: Session, submission: Submission, place: Place, digest: bytes, rows: int
) -> None:
    # The wait for another large hand-in may be longer than for any other lock.
    session.execute(text("SET LOCAL lock_timeout = 0"))
    session.get_one(Collection, place.collection_id, with_for_update={"key_share": True})
    # Somebody else may have handed in the same while the pictures were looked at.
    if same := _handed_in_before(session, place, digest):
        _end_unchanged(session, submission, digest, same)
        return
    verdicts.judge(session, place)
    manifest_gates.speak(session, submission)
    previews.choose(session, submission, seed=digest.hex())
    _end(
        session,
        submission,
        state=SubmissionState.RECEIVED,
        digest=digest,
        rows_read=rows,
        rows_accepted=verdicts.accept(session, place),
        rows_refused=verdicts.refuse(session, place),
        is_held=_holds(session, submission),
    )
    queue.ring_after_commit(session, queue.PREPARE)


def _handed_in_before(session: Session, place: Place, digest: bytes) -> UUID | None:
    return session.scalar(
        select(Submission.id).where(
            Submission.collection_id == place.collection_id,
            Submission.digest == digest,
            Submission.state == SubmissionState.RECEIVED,
            ~Submission.is_withdrawn,
        )
    )


def _holds(session: Session, submission: Submission) -> bool:
    held = select(Item.id).where(Item.submission_id == submission.id, Item.is_held)
    return session.scalar(select(held.exists())) or False


def _end_unchanged(session: Session, submission: Submission, digest: bytes, same: UUID) -> None:
    _end(session, submission, state=SubmissionState.UNCHANGED, digest=digest, same_as_id=same)


def _end(session: Session, submission: Submission, **outcome: object) -> None:
    """Write down the outcome, if the submission is still in our hand."""
    held = (
        Submission.id == submission.id,
        Submission.state == SubmissionState.RECEIVING,
        Submission.lease_token.is_not_distinct_from(submission.lease_token),
    )
    ended = session.scalar(
        update(Submission)
        .where(*held)
        .values(received_at=func.now(), lease_token=None, lease_until=None, **outcome)
        .returning(Submission.id)
        .execution_options(synchronize_session=False)
    )
    if ended is None:
        raise ConflictError(f"submission {submission.id} was read by somebody else meanwhile")
    session.refresh(submission)
