"""Taking a hand-in back, bringing it back, and letting the rest follow a preview.

The database carries each word to the items in the same statement (decision 29): what has not
begun stops, what a worker has in hand is called back, and texts that no other hand-in shares
leave the queue and the exports. Nothing is deleted.
"""

from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from predella.errors import ConflictError
from predella.ids import SubmissionId
from predella.models import Account, Item, Submission, SubmissionState
from predella.services import audits, gates, submissions


def withdraw(
    session: Session, submission_id: SubmissionId, *, account: Account, reason: str
) -> Submission:
    """Take a hand-in back; a second time changes nothing.

    Raises:
        NotFoundError: there is no such submission.
        ConflictError: it has no items, or is still being read.
        InvalidError: there is no reason, or it is too long.
    """
    said = gates.usable_reason(reason)
    submission = _held(session, submission_id)
    if not submission.is_withdrawn:
        _turn(session, submission, account, is_withdrawn=True, reason=said)
    return submissions.get(session, submission_id)


def restore(
    session: Session, submission_id: SubmissionId, *, account: Account, reason: str
) -> Submission:
    """Bring a hand-in back: its work goes on, and its texts stand as they were decided on.

    When all of it has come to its end, webhooks are told that it is finished, once more.

    Raises:
        NotFoundError: there is no such submission.
        ConflictError: the very same was handed in again meanwhile.
        InvalidError: there is no reason, or it is too long.
    """
    said = gates.usable_reason(reason)
    submission = _held(session, submission_id)
    if submission.is_withdrawn:
        try:
            with session.begin_nested():
                # Told as finished once more, when the last of it has come to its end again.
                _turn(
                    session,
                    submission,
                    account,
                    is_withdrawn=False,
                    reason=said,
                    finished_at=None,
                )
        except IntegrityError as error:
            raise ConflictError(
                "the same was handed in again since; withdraw that submission first"
            ) from error
        gates.ring(session)
    return submissions.get(session, submission_id)


def release(session: Session, submission_id: SubmissionId, *, account: Account) -> int:
    """Let what waits behind the preview go on; return how many items that are.

    Raises:
        NotFoundError: there is no such submission.
        ConflictError: it is withdrawn, has no items, or is still being read.
    """
    submission = _held(session, submission_id)
    if submission.is_withdrawn:
        raise ConflictError(f"submission {submission_id} is withdrawn; restore it first")
    count = session.scalar(
        select(func.count()).where(Item.submission_id == submission_id, Item.is_held)
    )
    session.execute(
        text("UPDATE item SET is_held = false WHERE submission_id = :id AND is_held"),
        {"id": submission_id},
    )
    _turn(session, submission, account, is_held=False)
    gates.ring(session)
    return count or 0


def _held(session: Session, submission_id: SubmissionId) -> Submission:
    """Hold the submission and its items, these in the order of their ids as workers do."""
    submission = submissions.get(session, submission_id)
    session.refresh(submission, with_for_update={"of": Submission})
    if submission.state is not SubmissionState.RECEIVED:
        raise ConflictError(
            f"submission {submission_id} is {submission.state}: nothing of it can be taken back"
        )
    is_of_it = Item.submission_id == submission_id
    # What shows one of its pictures is settled with it.
    pictures = select(Item.picture_id).where(is_of_it, Item.picture_id.is_not(None))
    locked = select(Item.id).where(is_of_it | Item.picture_id.in_(pictures))
    locked = locked.order_by(Item.id).with_for_update()
    session.execute(select(func.count()).select_from(locked.subquery()))
    return submission


def _turn(session: Session, submission: Submission, account: Account, **values: object) -> None:
    audits.act_for(session, account)
    for name, value in values.items():
        setattr(submission, name, value)
    session.flush()
    session.expire_all()
