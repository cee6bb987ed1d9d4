"""SIGKILL at every step from the claim to the finish; then somebody else takes over."""

import multiprocessing
import random
import signal
from collections.abc import Iterator

import pytest
from sqlalchemy import func, select, text

from predella import db
from predella.models import Analysis, Attempt, Item, ItemState, Outcome, Revision, Stage
from predella.services.sweep import sweep
from predella.settings import Settings
from tests.faults import victim
from tests.services import Bucket
from tests.worker import hand_in
from worker import preparing
from worker.images import Sandbox

COUNT = 8
CASES = [(stage, point) for stage, points in victim.POINTS.items() for point in points]

forkserver = multiprocessing.get_context("forkserver")
forkserver.set_forkserver_preload(["tests.faults.victim"])


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as one:
        yield one


@pytest.fixture(autouse=True)
def _one_sandbox_for_all(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        preparing,
        "prepare",
        lambda source, *, limits, exact: sandbox.prepare(source, limits, exact=exact),
    )


def take_over(stage: Stage) -> None:
    """The dead worker's leases run out, the sweep comes, another worker drains."""
    with db.transaction() as session:
        session.execute(
            text("UPDATE item SET lease_until = now() - interval '1 s' WHERE state = 'leased'")
        )
        sweep(session, max_attempts=4)
    victim.work(stage)


@pytest.mark.parametrize(("stage", "point"), CASES)
def test_each_item_ends_with_exactly_one_analysis(
    stage: Stage, point: str, settings: Settings, s3: Bucket
) -> None:
    if stage is Stage.PREPARE:
        hand_in.items(s3, COUNT)
    else:
        hand_in.ready(s3, COUNT)
    nth = random.Random(f"{stage} {point}").randint(1, 2)  # noqa: S311  (can be repeated)
    process = forkserver.Process(target=victim.run, args=(str(settings.home), stage, point, nth))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL, "the point was never reached"

    take_over(stage)
    victim.work(Stage.ANALYZE)

    with db.transaction() as session:
        states = session.execute(select(Item.state, func.count()).group_by(Item.state))
        assert dict(states.all()) == {ItemState.DONE: COUNT}
        for table in (Analysis, Revision):
            assert session.scalar(select(func.count()).select_from(table)) == COUNT
        assert session.scalar(select(func.count(Item.analysis_id.distinct()))) == COUNT
        ended_well = select(Attempt.item_id).filter_by(outcome=Outcome.DONE, stage=Stage.ANALYZE)
        assert len(session.scalars(ended_well).all()) == COUNT
        assert session.scalar(select(func.count()).where(Attempt.outcome.is_(None))) == 0
