"""What became of a hand-in, counted: the same at once and years later."""

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from predella.ids import SubmissionId
from predella.models import Item, ItemState, ObjectGate, Refusal, Submission, SubmissionState
from predella.services import runs
from predella.services.verdicts import HARMLESS

_EXAMPLES = 3
_TO_COME = (ItemState.WAITING, ItemState.LEASED, ItemState.HELD)


@dataclass(frozen=True)
class Example:
    """One refused row."""

    row_number: int
    object_number: str | None
    filename: str | None
    sentence: str


@dataclass(frozen=True)
class Refused:
    """Everything refused for one reason."""

    code: str
    count: int
    examples: tuple[Example, ...]
    """The first few."""

    @property
    def harmless(self) -> bool:
        """Whether nobody needs to do anything about it."""
        return self.code in HARMLESS


@dataclass(frozen=True)
class Report:
    """What became of one hand-in and its rows."""

    submission_id: SubmissionId
    state: SubmissionState
    refusal: str | None
    """Why the whole was refused."""
    same_as_id: SubmissionId | None
    same_as_at: datetime | None
    rows_read: int
    accepted: int
    withheld: int
    """Of the accepted: those that the museum's own gates keep from the model."""
    held: int
    """Of the accepted: those that wait behind a preview."""
    rights_unknown: int
    """Of the accepted: those whose text cannot leave before their rights are known."""
    analysis_seconds: float | None
    """About how long a model worker will take for what is still to be analyzed, by the rate that
    was measured last; None where none ever was, or nothing is left."""
    refused: tuple[Refused, ...]
    """The most frequent reason first."""
    files_without_row: int
    """Pictures beside those of the manifest that no row names; not among the rows."""

    @property
    def partial(self) -> bool:
        """Whether somebody has to look at rows that were refused."""
        return any(not group.harmless for group in self.refused)


def report(session: Session, submission: Submission) -> Report:
    """Count what became of the rows of a submission."""
    groups = _refused(session, submission)
    withheld, held, rights_unknown, left = session.execute(_kept_back(submission)).one()
    rate = runs.last_rate(session)
    earlier = session.get(Submission, submission.same_as_id) if submission.same_as_id else None
    return Report(
        submission_id=SubmissionId(submission.id),
        state=submission.state,
        refusal=submission.refusal,
        same_as_id=SubmissionId(earlier.id) if earlier else None,
        same_as_at=earlier.created_at if earlier else None,
        rows_read=submission.rows_read,
        accepted=submission.rows_accepted,
        withheld=withheld,
        held=held,
        rights_unknown=rights_unknown,
        analysis_seconds=left / rate if left and rate else None,
        refused=tuple(group for group in groups if group.code != "file_without_row"),
        files_without_row=sum(g.count for g in groups if g.code == "file_without_row"),
    )


def is_partial(session: Session, submission: Submission) -> bool:
    """Say whether somebody has to look at rows of it that were refused."""
    bad = select(Refusal.id).where(
        Refusal.submission_id == submission.id, Refusal.code.not_in(HARMLESS)
    )
    return session.scalar(select(bad.exists())) or False


def _kept_back(submission: Submission) -> Select[int, int, int, int]:
    return (
        select(
            func.count().filter(Item.state == ItemState.WITHHELD),
            func.count().filter(Item.state == ItemState.HELD),
            func.count().filter(ObjectGate.rights_work.is_(None)),
            func.count().filter(Item.is_primary, Item.state.in_(_TO_COME)),
        )
        .select_from(Item)
        .join(
            ObjectGate,
            (ObjectGate.collection_id == Item.collection_id)
            & (ObjectGate.object_number == Item.object_number),
        )
        .where(Item.submission_id == submission.id)
    )


def _refused(session: Session, submission: Submission) -> list[Refused]:
    size = func.count().over(partition_by=Refusal.code).label("size")
    place = func.row_number().over(partition_by=Refusal.code, order_by=Refusal.id).label("place")
    numbered = select(
        size,
        place,
        Refusal.code,
        Refusal.row_number,
        Refusal.object_number,
        Refusal.filename,
        Refusal.sentence,
    )
    ranked = numbered.where(Refusal.submission_id == submission.id).subquery()
    rows = session.execute(
        select(ranked)
        .where(ranked.c.place <= _EXAMPLES)
        .order_by(ranked.c.size.desc(), ranked.c.code, ranked.c.place)
    )
    groups = (list(rows) for _, rows in groupby(rows, lambda row: row.code))
    return [
        Refused(
            code=group[0].code,
            count=group[0].size,
            examples=tuple(
                Example(row.row_number, row.object_number, row.filename, row.sentence)
                for row in group
            ),
        )
        for group in groups
    ]
