"""How the house stands, in numbers: counted in Postgres, which alone knows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from predella.models import (
    Analysis,
    DeliveryState,
    Export,
    ExportState,
    Item,
    ItemState,
    Release,
    ReviewState,
    Stage,
    Standing,
    Submission,
    SubmissionState,
    WebhookDelivery,
)
from predella.services import runs
from predella.services.runs import Performance, Work


@dataclass(frozen=True)
class Numbers:
    """One look at everything that waits, runs or is done."""

    items: Mapping[tuple[Stage, ItemState], int]
    oldest_ready_seconds: Mapping[Stage, float]
    """How long the item that could start first has been able to."""
    expired_leases: int
    """Items whose worker fell silent and that the sweep has not yet taken back."""
    submissions_receiving: int
    exports_writing: int
    analyses: Mapping[tuple[str, str], int]
    """By release: its model's name and its id."""
    reviews: Mapping[ReviewState, int]
    """Analyses by what was decided on them."""
    deliveries: Mapping[DeliveryState, int]
    """Of the last 30 days, to webhooks, by how far they have come."""
    runs: Sequence[Performance]
    """The newest of each worker that told of it just now."""
    done: Mapping[str, Work]
    """By all runs, by the name of their model."""


def count(session: Session) -> Numbers:
    """Return how the house stands now."""
    return Numbers(
        items=_by_stage_and_state(session),
        oldest_ready_seconds=_waits(session),
        expired_leases=_count(
            session, Item.state == ItemState.LEASED, Item.lease_until < func.now()
        ),
        submissions_receiving=_count(session, Submission.state == SubmissionState.RECEIVING),
        exports_writing=_count(session, Export.state == ExportState.WRITING),
        analyses=_by_release(session),
        reviews=_by_review_state(session),
        deliveries=_by_delivery_state(session),
        runs=runs.recent(session),
        done=runs.totals(session),
    )


def _by_stage_and_state(session: Session) -> dict[tuple[Stage, ItemState], int]:
    rows = session.execute(
        select(Item.stage, Item.state, func.count()).group_by(Item.stage, Item.state)
    )
    none = dict.fromkeys(product(Stage, ItemState), 0)
    return none | {(stage, state): number for stage, state, number in rows}


def _waits(session: Session) -> dict[Stage, float]:
    waited = func.extract("epoch", func.now() - func.min(Item.next_attempt_at))
    rows = session.execute(
        select(Item.stage, waited)
        .where(Item.state == ItemState.WAITING, Item.next_attempt_at <= func.now())
        .group_by(Item.stage)
    )
    return dict.fromkeys(Stage, 0.0) | {stage: float(seconds) for stage, seconds in rows}


def _by_release(session: Session) -> dict[tuple[str, str], int]:
    counted = (
        select(Analysis.release_id, func.count().label("number"))
        .group_by(Analysis.release_id)
        .subquery()
    )
    rows = session.execute(
        select(Release.model_name, Release.id, func.coalesce(counted.c.number, 0)).outerjoin(
            counted, counted.c.release_id == Release.id
        )
    )
    return {(name, str(release_id)): number for name, release_id, number in rows}


def _by_review_state(session: Session) -> dict[ReviewState, int]:
    rows = session.execute(select(Standing.state, func.count()).group_by(Standing.state)).all()
    return dict.fromkeys(ReviewState, 0) | dict(rows)


def _by_delivery_state(session: Session) -> dict[DeliveryState, int]:
    counts = select(WebhookDelivery.state, func.count()).group_by(WebhookDelivery.state)
    return dict.fromkeys(DeliveryState, 0) | dict(session.execute(counts).all())


def _count(session: Session, *conditions: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).where(*conditions)) or 0
