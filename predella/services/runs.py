"""Runs: what each drain of a model worker has done, and how fast model workers are now."""

from collections.abc import Mapping
from dataclasses import asdict, astuple, dataclass, fields
from datetime import datetime, timedelta
from operator import add
from uuid import UUID

from sqlalchemy import Select, cast, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from predella import ids
from predella.ids import RunId, SubmissionId
from predella.models import Item, ItemState, Run, Stage

_RECENTLY = timedelta(minutes=2)


@dataclass(frozen=True)
class Work:
    """What a run has done so far; the fields are told with its columns."""

    images: int = 0
    duplicates: int = 0
    failed: int = 0
    tokens: int = 0
    engine_seconds: float = 0.0
    occupied_seconds: float = 0.0
    starved_seconds: float = 0.0

    def __add__(self, more: "Work") -> "Work":
        return Work(*map(add, astuple(self), astuple(more)))


@dataclass(frozen=True, kw_only=True)
class Performance(Work):
    """What a run has done from its beginning until it last told, and how fast."""

    id: UUID
    worker: str
    model_name: str
    device: str
    batch_size: int
    started_at: datetime
    updated_at: datetime
    ended_at: datetime | None

    @property
    def images_per_second(self) -> float:
        """Written about by the model."""
        return self.images / self._seconds

    @property
    def items_per_second(self) -> float:
        """Settled, in whatever way."""
        return (self.images + self.duplicates + self.failed) / self._seconds

    @property
    def tokens_per_second(self) -> float:
        """Written by the model."""
        return self.tokens / self._seconds

    @property
    def starved(self) -> float:
        """Share of the engine's places that stood empty though there was work, 0 to 1."""
        return min(1.0, self.starved_seconds / self._seconds)

    @property
    def occupancy(self) -> float:
        """Share of the engine's places that were at work while the engine was, 0 to 1."""
        return self.occupied_seconds / self.engine_seconds if self.engine_seconds else 0.0

    @property
    def _seconds(self) -> float:
        # What was done within less than a second is no rate yet.
        return max(1.0, (self.updated_at - self.started_at).total_seconds())


@dataclass(frozen=True)
class Outlook:
    """How fast analyses are written now, and what is left to write."""

    workers: int
    """Runs that go on."""
    images_per_second: float
    images_left: int
    """Prepared images that wait for the model, or are with it."""
    seconds_left: float | None
    """About; None where nothing is left, or nobody is at it."""


def start(session: Session, *, worker: str, model_name: str, device: str, batch_size: int) -> RunId:
    """Write down that a run has begun; return its id."""
    run = Run(
        id=ids.new(),
        worker=worker,
        model_name=model_name,
        device=device,
        batch_size=batch_size,
        created_at=func.now(),
        updated_at=func.now(),
    )
    session.add(run)
    session.flush()
    return RunId(run.id)


def progress(session: Session, run_id: RunId, work: Work) -> None:
    """Write down what a run has done so far."""
    session.execute(
        update(Run).where(Run.id == run_id).values(**asdict(work), updated_at=func.now())
    )


def end(session: Session, run_id: RunId, work: Work) -> None:
    """Write down what a run has done, and that it is over."""
    progress(session, run_id, work)
    session.execute(update(Run).where(Run.id == run_id).values(ended_at=func.now()))


def latest(session: Session, *, limit: int) -> list[Performance]:
    """Return the runs that began last, the newest first."""
    return _performances(session, select(Run).order_by(Run.id.desc()).limit(limit))


def recent(session: Session) -> list[Performance]:
    """Return the newest run of each worker that told of it within the last two minutes."""
    told = select(Run).where(Run.updated_at > func.now() - _RECENTLY)
    newest = told.ext(distinct_on(Run.worker)).order_by(Run.worker, Run.id.desc())
    return _performances(session, newest)


def last_rate(session: Session) -> float | None:
    """Return how many images a second the last run that wrote any wrote; None before the first."""
    newest = select(Run).where(Run.images > 0).order_by(Run.id.desc()).limit(1)
    return next((run.images_per_second for run in _performances(session, newest)), None)


def totals(session: Session) -> Mapping[str, Work]:
    """Return what all runs have done, by the name of their model."""
    columns = [getattr(Run, field.name) for field in fields(Work)]
    sums = [cast(func.sum(column), column.type) for column in columns]
    rows = session.execute(select(Run.model_name, *sums).group_by(Run.model_name))
    return {name: Work(*done) for name, *done in rows}


def outlook(session: Session, submission_id: SubmissionId | None = None) -> Outlook:
    """Return how long it will be until prepared images are analyzed: all, or a submission's.

    Those that come before the last one of the submission are counted, whosever they are.
    """
    going_on = [run for run in recent(session) if run.ended_at is None]
    left = _left(session, submission_id)
    per_second = sum(run.items_per_second for run in going_on)
    return Outlook(
        workers=len(going_on),
        images_per_second=sum(run.images_per_second for run in going_on),
        images_left=left,
        seconds_left=left / per_second if left and per_second else None,
    )


def _left(session: Session, submission_id: SubmissionId | None) -> int:
    under_way = Item.state.in_([ItemState.WAITING, ItemState.LEASED])
    left = select(func.count()).where(Item.stage == Stage.ANALYZE, under_way)
    if submission_id is not None:
        place = (
            select(Item.priority, Item.id)
            .where(Item.submission_id == submission_id, Item.stage == Stage.ANALYZE, under_way)
            .order_by(Item.priority.desc(), Item.id.desc())
        )
        last = session.execute(place.limit(1)).one_or_none()
        if last is None:
            return 0
        left = left.where(tuple_(Item.priority, Item.id) <= tuple_(*last))
    return session.scalar(left) or 0


def _performances(session: Session, query: Select[Run]) -> list[Performance]:
    return [
        Performance(
            **{field.name: getattr(run, field.name) for field in fields(Work)},
            id=run.id,
            worker=run.worker,
            model_name=run.model_name,
            device=run.device,
            batch_size=run.batch_size,
            started_at=run.created_at,
            updated_at=run.updated_at,
            ended_at=run.ended_at,
        )
        for run in session.scalars(query)
    ]
