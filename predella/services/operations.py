"""Operations: a submission or an export, seen as work that somebody waits for."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from predella.errors import NotFoundError
from predella.ids import CollectionId, SubmissionId
from predella.models import Export, ExportState, Item, Submission, SubmissionState
from predella.services import items, reports, runs


class OperationKind(StrEnum):
    """What the work is."""

    SUBMISSION = "submission"
    EXPORT = "export"


class OperationState(StrEnum):
    """How the work stands."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    PARTIAL = "partial"
    """It has ended; some rows were refused or some items failed."""
    FAILED = "failed"
    """It has ended and brought nothing."""


@dataclass(frozen=True)
class Operation:
    """How far a piece of work has come."""

    id: UUID
    """Of the submission or the export."""
    kind: OperationKind
    state: OperationState
    collection_id: CollectionId
    done: int
    total: int
    """Items, or texts; pictures to look at while a hand-in is read. 0 while nobody knows."""
    failed: int
    started_at: datetime
    ended_at: datetime | None
    error: str | None
    seconds_left: float | None = None
    """About, for what is prepared; None where nobody can say."""

    @property
    def percent(self) -> int:
        """How much of it is over, rounded down: 100 only when it has ended."""
        if self.state is not OperationState.RUNNING:
            return 100
        return min(99, 100 * (self.done + self.failed) // self.total) if self.total else 0


def get(session: Session, operation_id: UUID) -> Operation:
    """Return how far a submission or an export has come.

    Raises:
        NotFoundError: there is neither with this id.
    """
    if submission := session.get(Submission, operation_id):
        return _submission(session, submission)
    if export := session.get(Export, operation_id):
        return _export(export)
    raise NotFoundError("operation", operation_id)


def _submission(session: Session, submission: Submission) -> Operation:
    submission_id = SubmissionId(submission.id)
    progress = items.progress(session, submission_id)
    state = _state(session, submission, progress)
    running = state is OperationState.RUNNING
    done, total = progress.done, progress.total
    if submission.state is SubmissionState.RECEIVING:
        done, total = submission.pictures_looked_at, submission.pictures_to_look_at
    return Operation(
        id=submission.id,
        kind=OperationKind.SUBMISSION,
        state=state,
        collection_id=CollectionId(submission.collection_id),
        done=done,
        total=total,
        failed=progress.failed,
        started_at=submission.created_at,
        ended_at=None if running else _last_finish(session, submission),
        error=submission.refusal,
        seconds_left=runs.outlook(session, submission_id).seconds_left if running else None,
    )


def _state(session: Session, submission: Submission, progress: items.Progress) -> OperationState:
    match submission.state:
        case SubmissionState.RECEIVING:
            return OperationState.RUNNING
        case SubmissionState.REFUSED:
            return OperationState.FAILED
        case SubmissionState.UNCHANGED:
            return OperationState.SUCCEEDED
        case SubmissionState.RECEIVED if progress.running:
            return OperationState.RUNNING
        case SubmissionState.RECEIVED:
            return _ended(progress, partial=reports.is_partial(session, submission))


def _ended(progress: items.Progress, *, partial: bool) -> OperationState:
    if not (progress.failed or partial):
        return OperationState.SUCCEEDED
    return OperationState.PARTIAL if progress.done else OperationState.FAILED


def _last_finish(session: Session, submission: Submission) -> datetime | None:
    query = select(func.max(Item.finished_at)).where(Item.submission_id == submission.id)
    return session.scalar(query) or submission.received_at or submission.created_at


def _export(export: Export) -> Operation:
    states = {
        ExportState.WRITING: OperationState.RUNNING,
        ExportState.WRITTEN: OperationState.SUCCEEDED,
        ExportState.FAILED: OperationState.FAILED,
    }
    return Operation(
        id=export.id,
        kind=OperationKind.EXPORT,
        state=states[export.state],
        collection_id=CollectionId(export.collection_id),
        done=export.texts_done,
        total=export.texts_total,
        failed=0,
        started_at=export.created_at,
        ended_at=export.written_at,
        error=export.error,
    )
