"""The real services and workers as processes of their own, watched over as ``predella up`` does."""

import sys
import sysconfig
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from predella import db, migrate
from predella.embedded import redis
from predella.embedded.app import App
from predella.embedded.env import write_env
from predella.embedded.home import Home
from predella.embedded.postgres import Postgres
from predella.embedded.redis import Redis
from predella.embedded.s3 import S3
from predella.embedded.supervisor import Part, Supervisor
from predella.ids import SubmissionId
from predella.models import (
    Account,
    Analysis,
    Collection,
    Item,
    ItemState,
    Revision,
)
from predella.services import submissions
from tests import factories
from tests.services import Bucket, sqlalchemy_url

LEASE_SECONDS = 2
MAX_ATTEMPTS = 3


@dataclass
class Outcome:
    """What became of one submission, told by the database alone."""

    items: int
    states: dict[ItemState, int]
    analyses: int
    linked: int
    """Different analyses that the items point to."""
    wordings: int
    codes: set[str | None] = field(default_factory=set)


class Rig:
    """One home, its services, a CPU worker, a slow model worker and the sweep."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder)
        self.postgres = Postgres(self.home, options=("fsync=off",))
        program = redis.find_server()
        assert program is not None
        self.redis = Redis(self.home, program)
        self.s3 = S3(self.home)

    def __enter__(self) -> Self:
        self._services = Supervisor(lambda _: None)
        self._services.start(self.postgres, self.redis, self.s3)
        self.postgres.make_database("predella")
        write_env(self.home.path / "env", self._values())
        migrate.upgrade(db.engine())
        self.bucket = Bucket(
            "museum", self.s3.url, self.s3.access_key_id, self.s3.secret_access_key
        )
        self.bucket.client.create_bucket(Bucket="museum")
        self.bucket.client.create_bucket(Bucket="predella")
        self._supervisor = Supervisor(lambda _: None)
        apps = self._cpu(), self._gpu(), self._sweep()
        self._supervisor.start(*apps)
        services: list[Part] = [self.postgres, self.redis, self.s3]
        self.parts = {part.name: part for part in (*services, *apps)}
        with db.transaction() as session:
            self.collection_id = factories.collection(session, bucket="museum").id
            self.account_id = factories.account(session).id
        return self

    def __exit__(self, *_error: object) -> None:
        self._supervisor.stop()
        self._services.stop()
        db.engine().dispose()

    def submit(self, name: str, pictures: list[bytes]) -> "Watch":
        """Hand in a folder of pictures through the front door."""
        client = self.bucket.client
        for number, body in enumerate(pictures):
            client.put_object(Bucket="museum", Key=f"{name}/{number:03}.png", Body=body)
        with db.transaction() as session:
            made = submissions.create(
                session,
                session.get_one(Collection, self.collection_id),
                account=session.get_one(Account, self.account_id),
                source=f"s3://museum/{name}/",
            )
            return Watch(SubmissionId(made.id), len(pictures))

    def pid(self, name: str) -> int:
        """Return the process id of a service or of an application, once it lives."""
        while (pid := self.parts[name].process.pid) is None:
            time.sleep(0.05)
        return pid

    def pool(self, name: str) -> list[int]:
        """Return the processes of a worker's pool."""
        main = self.pid(name)
        found = Path(f"/proc/{main}/task/{main}/children").read_text().split()
        return [int(child) for child in found]

    def _values(self) -> dict[str, str]:
        return {
            "PREDELLA_DATABASE_URL": sqlalchemy_url(self.postgres.url("predella")),
            "PREDELLA_BROKER_URL": self.redis.url,
            "PREDELLA_S3_ENDPOINT_URL": self.s3.url,
            "PREDELLA_S3_ACCESS_KEY_ID": self.s3.access_key_id,
            "PREDELLA_S3_SECRET_ACCESS_KEY": self.s3.secret_access_key,
            "PREDELLA_SOURCE_BUCKETS": '["museum"]',
            "PREDELLA_LEASE_SECONDS": str(LEASE_SECONDS),
            "PREDELLA_SWEEP_SECONDS": "0.5",
            "PREDELLA_MAX_ATTEMPTS": str(MAX_ATTEMPTS),
        }

    def _cpu(self) -> App:
        return self._worker("cpu", "worker.app", processes=2)

    def _gpu(self) -> App:
        return self._worker("gpu", "tests.faults.gpu", processes=1)

    def _worker(self, queue_name: str, app: str, *, processes: int) -> App:
        return App(
            queue_name,
            self.home,
            *(sys.executable, "-m", "celery", "--app", app, "worker"),
            *("--queues", queue_name, "--hostname", f"{queue_name}@%h"),
            *("--concurrency", str(processes), "--without-mingle", "--without-gossip"),
            settings=self._values(),
        )

    def _sweep(self) -> App:
        program = Path(sysconfig.get_path("scripts")) / "predella"
        return App("sweep", self.home, program, "sweep", settings=self._values())


@dataclass
class Watch:
    """One submission, followed from outside."""

    submission_id: SubmissionId
    expected: int

    def count(self, *states: ItemState) -> int:
        """Return how many of its items are in one of these states; without any, all of them."""
        found = select(func.count()).where(Item.submission_id == self.submission_id)
        if states:
            found = found.where(Item.state.in_(states))
        with db.transaction() as session:
            return session.scalar(found) or 0

    def done(self) -> int:
        """Return how many of its items have their analysis."""
        return self.count(ItemState.DONE)

    def prepared(self) -> int:
        """Return how many of its items are through the first stage."""
        found = select(func.count()).where(
            Item.submission_id == self.submission_id, Item.image_id.is_not(None)
        )
        with db.transaction() as session:
            return session.scalar(found) or 0

    def until(self, true: Callable[[], bool], *, seconds: float = 120) -> None:
        """Wait; a database that is away meanwhile is part of the game."""
        deadline = time.monotonic() + seconds
        while not self._patiently(true):
            assert time.monotonic() < deadline, self.outcome()
            time.sleep(0.05)

    def until_over(self, *, seconds: float = 120) -> Outcome:
        """Wait until every item is done or has failed, and tell what became of it."""
        over = ItemState.DONE, ItemState.FAILED
        self.until(lambda: self.count(*over) == self.expected, seconds=seconds)
        return self.outcome()

    def outcome(self) -> Outcome:
        with db.transaction() as session:
            mine = Item.submission_id == self.submission_id
            states = session.execute(
                select(Item.state, func.count()).where(mine).group_by(Item.state)
            )
            written = select(Analysis.id).join(Item, Item.id == Analysis.item_id).where(mine)
            wordings = select(func.count()).where(Revision.analysis_id.in_(written))
            return Outcome(
                items=self.count(),
                states=dict(states.all()),
                analyses=len(session.scalars(written).all()),
                linked=session.scalar(select(func.count(Item.analysis_id.distinct())).where(mine))
                or 0,
                wordings=session.scalar(wordings) or 0,
                codes=set(session.scalars(select(Item.error_code).where(mine))),
            )

    def _patiently(self, true: Callable[[], bool]) -> bool:
        try:
            return true()
        except OperationalError:
            return False
