"""Runs: what each drain of a model worker has done, and how fast model workers are now."""

from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass
from datetime import timedelta
from operator import add

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from predella import ids
from predella.ids import RunId
from predella.models import Run

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


@dataclass(frozen=True)
class Pace:
    """How fast a run is, from its beginning to when it last told."""

    worker: str
    model_name: str
    is_over: bool
    images_per_second: float
    """Written about by the model."""
    items_per_second: float
    """Settled, in whatever way."""
    tokens_per_second: float
    starved: float
    """Share of the engine's places that stood empty though there was work, 0 to 1."""
    occupancy: float
    """Share of the engine's places that were at work while it was, 0 to 1."""


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


def latest(session: Session, *, limit: int) -> Sequence[Run]:
    """Return the runs that began last, the newest first."""
    return session.scalars(select(Run).order_by(Run.id.desc()).limit(limit)).all()


def paces(session: Session) -> list[Pace]:
    """Return how fast each worker is that told of its run within the last two minutes."""
    recent = (
        select(Run)
        .distinct(Run.worker)
        .where(Run.updated_at > func.now() - _RECENTLY)
        .order_by(Run.worker, Run.id.desc())
    )
    return [pace(run) for run in session.scalars(recent)]


def pace(run: Run) -> Pace:
    """Return how fast a run is, or was."""
    # What was written within less than this is no rate yet.
    seconds = max(1.0, (run.updated_at - run.created_at).total_seconds())
    return Pace(
        worker=run.worker,
        model_name=run.model_name,
        is_over=run.ended_at is not None,
        images_per_second=run.images / seconds,
        items_per_second=(run.images + run.duplicates + run.failed) / seconds,
        tokens_per_second=run.tokens / seconds,
        starved=min(1.0, run.starved_seconds / seconds),
        occupancy=run.occupied_seconds / run.engine_seconds if run.engine_seconds else 0.0,
    )
