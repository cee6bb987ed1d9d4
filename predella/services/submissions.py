"""Submissions: what digitization teams hand in."""

from collections.abc import Sequence
from uuid import UUID

import structlog
from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session, joinedload

from predella import db, queue
from predella.errors import ConflictError, InvalidError, NotFoundError, UnavailableError
from predella.formats.manifest import Numbering
from predella.formats.text import normalise
from predella.ids import AccountId, CollectionId, Reach, SubmissionId
from predella.models import Account, Collection, Refusal, Submission, SubmissionState
from predella.services import leases, receiving, sources
from predella.services.leases import Lease
from predella.services.reports import Report
from predella.services.sources import Readable
from predella.services.watching import Tell, to_nobody
from predella.settings import get_settings

_MAX_TITLE = 200
MAX_PREVIEW = 1_000_000

log = structlog.get_logger()


def create(
    session: Session,
    collection: Collection,
    *,
    account: Account,
    source: str,
    title: str | None = None,
    preview: int | None = None,
    number_pattern: str | None = None,
    number_field: str | None = None,
) -> Submission:
    """Note down a hand-in; a worker reads it once this transaction has committed.

    With ``preview`` so many objects go first; the others are held until they are released.
    ``number_pattern`` is how file names tell the object numbers that no manifest tells, and
    ``number_field`` the field of the pictures' metadata that tells them first. What is None is as
    the collection has it; an empty one is none.

    ``source`` is a manifest or, with a slash at its end, a folder: inside the collection, or
    below ``submissions/`` in our own bucket.

    Raises:
        SourceError: it is neither, or lies elsewhere.
        InvalidError: a preview of none, or a pattern or a field that cannot be used.
    """
    if preview is not None and not 1 <= preview <= MAX_PREVIEW:
        raise InvalidError(f"a preview has 1 to {MAX_PREVIEW:,} objects, not {preview:,}")
    numbering = Numbering.parse(
        collection.number_pattern if number_pattern is None else number_pattern,
        collection.number_field if number_field is None else number_field,
    )
    submission = Submission(
        collection_id=collection.id,
        account_id=account.id,
        source=str(sources.usable(collection, source)),
        title=normalise(title or "").strip()[:_MAX_TITLE] or None,
        preview=preview,
        number_pattern=numbering.pattern,
        number_field=numbering.field.name if numbering.field else None,
    )
    session.add(submission)
    session.flush()
    queue.ring_after_commit(session, queue.RECEIVE)
    return submission


def get(session: Session, submission_id: SubmissionId) -> Submission:
    """Return one submission with its collection and its account.

    Raises:
        NotFoundError: there is none with this id.
    """
    found = session.scalar(_whole().where(Submission.id == submission_id))
    if found is None:
        raise NotFoundError("submission", submission_id)
    return found


def listed(
    session: Session,
    *,
    within: Reach,
    collection_id: CollectionId | None = None,
    after: UUID | None = None,
    limit: int = 50,
) -> Sequence[Submission]:
    """Return submissions with their collections and accounts, the oldest first."""
    query = _of(collection_id, within).order_by(Submission.id).limit(limit)
    return session.scalars(query.where(Submission.id > after) if after else query).all()


def latest(
    session: Session,
    *,
    within: Reach,
    collection_id: CollectionId | None = None,
    before: UUID | None = None,
    limit: int = 10,
) -> Sequence[Submission]:
    """Return submissions with their collections and accounts, the newest first."""
    query = _of(collection_id, within).order_by(Submission.id.desc()).limit(limit)
    return session.scalars(query.where(Submission.id < before) if before else query).all()


def refusals(
    session: Session, submission_id: SubmissionId, *, after: UUID | None = None, limit: int = 50
) -> Sequence[Refusal]:
    """Return why rows were refused, in their order, then the files that no row names."""
    query = select(Refusal).where(Refusal.submission_id == submission_id)
    query = query.order_by(Refusal.id).limit(limit)
    return session.scalars(query.where(Refusal.id > after) if after else query).all()


def dry_run(
    session: Session,
    collection: Collection,
    *,
    account: Account,
    source: str,
    store: Readable,
    preview: int | None = None,
    number_pattern: str | None = None,
    number_field: str | None = None,
    tell: Tell = to_nobody,
) -> Report:
    """Return what handing this in would bring, and leave no trace of having tried."""
    with session.begin_nested() as trial:
        submission = create(
            session,
            collection,
            account=account,
            source=source,
            preview=preview,
            number_pattern=number_pattern,
            number_field=number_field,
        )
        report = receiving.receive(session, submission, store, tell=tell)
        trial.rollback()
    return report


def receive_at_once(
    store: Readable,
    *,
    collection_id: CollectionId,
    account_id: AccountId,
    source: str,
    title: str | None = None,
    preview: int | None = None,
    number_pattern: str | None = None,
    number_field: str | None = None,
    tell: Tell = to_nobody,
) -> Report:
    """Hand in and read it here and now, for somebody who waits for the report.

    Should this process die, a worker goes on with it.

    Raises:
        SourceError: see `create`; nothing was handed in.
        UnavailableError: the store does not answer; a worker will try again.
    """
    with db.transaction() as session:
        collection = session.get_one(Collection, collection_id)
        account = session.get_one(Account, account_id)
        submission = create(
            session,
            collection,
            account=account,
            source=source,
            title=title,
            preview=preview,
            number_pattern=number_pattern,
            number_field=number_field,
        )
        lease = leases.take(session, Submission, submission.id)
    try:
        return receive_leased(lease, store, tell=tell)
    except UnavailableError as error:
        raise UnavailableError(
            f"{error}; submission {lease.id} is kept and will be read when it answers"
        ) from error


def receive_waiting(store: Readable) -> bool:
    """Read the oldest hand-in that waits; False when none does.

    A store that does not answer puts it off, and is no error here.
    """
    with db.transaction() as session:
        waiting = Submission.state == SubmissionState.RECEIVING
        lease = leases.claim(session, Submission, waiting)
    if lease is None:
        return False
    try:
        receive_leased(lease, store)
    except (UnavailableError, ConflictError) as error:
        log.warning("receive_failed", submission_id=str(lease.id), error=str(error))
    return True


def receive_leased(lease: Lease, store: Readable, *, tell: Tell = to_nobody) -> Report:
    """Read a hand-in that the caller has in hand; ``tell`` hears how far that has come.

    Raises:
        ConflictError: somebody else has it by now.
        UnavailableError: the store does not answer. The hand-in is put off, or refused when
            this was its last attempt.
    """
    try:
        with leases.kept_alive(lease), db.transaction() as session:
            submission = get(session, SubmissionId(lease.id))
            if submission.lease_token != lease.token:
                raise ConflictError(f"submission {lease.id} is in other hands by now")
            return receiving.receive(session, submission, store, tell=tell)
    except UnavailableError as error:
        _put_off(lease, error)
        raise


def _put_off(lease: Lease, error: UnavailableError) -> None:
    with db.transaction() as session:
        if lease.attempt < get_settings().max_attempts:
            leases.pause(session, lease)
            return
        session.execute(
            update(Submission)
            .where(Submission.id == lease.id, Submission.lease_token == lease.token)
            .values(
                state=SubmissionState.REFUSED,
                refusal=f"it could not be read {lease.attempt} times: {error}",
                lease_token=None,
                lease_until=None,
            )
        )


def _of(collection_id: CollectionId | None, within: Reach) -> Select[Submission]:
    query = _whole().where(db.inside(Submission.collection_id, within))
    return query.where(Submission.collection_id == collection_id) if collection_id else query


def _whole() -> Select[Submission]:
    return select(Submission).options(
        joinedload(Submission.collection), joinedload(Submission.account)
    )
