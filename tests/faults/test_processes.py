"""kill -9 of any one process at any moment: the submission still ends with one analysis each."""

import os
import random
import signal
import tempfile
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image as Pillow
from sqlalchemy import func, select

from predella import db, queue
from predella.models import Attempt, Item, ItemState
from predella.models import Outcome as AttemptOutcome
from predella.services import ledger
from predella.settings import get_settings
from tests.faults.gpu import BREAKS, POISON
from tests.faults.rig import MAX_ATTEMPTS, Outcome, Rig
from tests.worker import hand_in

COUNT = 24
_series = iter(range(1, 100))


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    """Its services may be killed: they are not the ones that other tests share."""
    with (
        tempfile.TemporaryDirectory(prefix="predella-faults-") as folder,
        pytest.MonkeyPatch.context() as environment,
    ):
        environment.setenv("PREDELLA_HOME", folder)
        forget()
        with Rig(Path(folder)) as running:
            yield running
        forget()


def forget() -> None:
    """The settings of this process are those of the rig while it runs."""
    for cached in (get_settings, db.engine, db._session_factory, queue._publisher):
        cached.cache_clear()


def pictures(series: int, count: int = COUNT) -> list[bytes]:
    return [hand_in.picture(series * 1000 + number) for number in range(count)]


def all_done(count: int = COUNT) -> Outcome:
    return Outcome(
        items=count,
        states={ItemState.DONE: count},
        analyses=count,
        linked=count,
        wordings=count,
        codes={None},
    )


def hit(rig: Rig, victim: str) -> None:
    """Send SIGKILL to one process, or to a whole pool."""
    if victim.startswith("pool of "):
        targets = rig.pool(victim.removeprefix("pool of "))
    else:
        targets = [rig.pid(victim)]
    for target in targets:
        os.kill(target, signal.SIGKILL)


class TestKill:
    @pytest.mark.parametrize(
        "victim", ["cpu", "pool of cpu", "gpu", "pool of gpu", "sweep", "redis", "postgres", "s3"]
    )
    def test_leaves_exactly_one_analysis_for_each_item(self, rig: Rig, victim: str) -> None:
        series = next(_series)
        chance = random.Random(series)  # noqa: S311  (a seed that can be repeated)
        watch = rig.submit(f"series-{series}", pictures(series))
        moment = chance.randrange(COUNT)
        progress = watch.prepared if victim.endswith("cpu") else watch.done
        watch.until(lambda: progress() >= moment)
        time.sleep(chance.uniform(0, 0.3))

        hit(rig, victim)

        assert watch.until_over() == all_done()


class TestStop:
    def test_gives_what_is_in_hand_back_uncounted_and_soon(self, rig: Rig) -> None:
        watch = rig.submit("stopped", pictures(next(_series)))
        watch.until(lambda: watch.done() > 0)
        main = rig.pid("gpu")

        os.kill(main, signal.SIGTERM)

        stopped = time.monotonic()
        watch.until(lambda: rig.parts["gpu"].process.pid != main)
        assert time.monotonic() - stopped < 5
        assert watch.until_over() == all_done()
        with db.transaction() as session:
            attempts = session.execute(
                select(Attempt.outcome, func.max(Attempt.number))
                .join(Item, Item.id == Attempt.item_id)
                .where(Item.submission_id == watch.submission_id)
                .group_by(Attempt.outcome)
            )
            # What was not finished in time was given back; nothing fell silent, nothing counted.
            assert (
                dict(attempts.all()).items()
                <= {
                    AttemptOutcome.DONE: 1,
                    AttemptOutcome.RELEASED: 1,
                }.items()
            )


def plain(colour: tuple[int, int, int]) -> bytes:
    out = BytesIO()
    Pillow.new("RGB", (64, 64), colour).save(out, "PNG")
    return out.getvalue()


class TestPoison:
    @pytest.mark.parametrize(
        ("colour", "told"),
        [(POISON, f"stopped {MAX_ATTEMPTS} times"), (BREAKS, f"after {MAX_ATTEMPTS} attempts")],
    )
    def test_is_given_up_and_takes_no_innocent_with_it(
        self, rig: Rig, colour: tuple[int, int, int], told: str
    ) -> None:
        series = next(_series)
        innocent = pictures(series, 11)

        watch = rig.submit(f"series-{series}", [*innocent[:5], plain(colour), *innocent[5:]])

        outcome = watch.until_over()
        assert outcome.states == {ItemState.DONE: 11, ItemState.FAILED: 1}
        assert outcome.codes == {None, ledger.GAVE_UP}
        with db.transaction() as session:
            failed = session.scalars(
                select(Item).filter_by(submission_id=watch.submission_id, state=ItemState.FAILED)
            ).one()
            assert failed.key.endswith("005.png")
            assert failed.attempt == MAX_ATTEMPTS
            assert told in str(failed.error)
