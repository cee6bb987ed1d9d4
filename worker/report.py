"""What one run has done so far, and the row that tells it."""

import threading

import structlog
from sqlalchemy.exc import OperationalError

from predella import db
from predella.ids import RunId
from predella.services import runs
from predella.services.runs import Work
from worker.engine.protocol import Engine
from worker.feed import WORKER

log = structlog.get_logger()


class Report:
    """Any thread may add to it, and renew the row with it; its numbers are never waited for."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self.work = Work()
        self._run_id: RunId | None = None

    def begin(self) -> None:
        """Make the row, unless there is one: a drain that finds nothing is no run."""
        if self._run_id is not None:
            return
        with db.transaction() as session:
            self._run_id = runs.start(
                session,
                worker=WORKER,
                model_name=self._engine.release.model_name,
                device=self._engine.device,
                batch_size=self._engine.batch_size,
            )

    def add(self, more: Work) -> None:
        """Count this, too."""
        with self._lock:
            self.work += more

    def renew(self, *, is_over: bool = False) -> None:
        """Write down how far the run is; not now, if the database is away."""
        if self._run_id is None:
            return
        write = runs.end if is_over else runs.progress
        try:
            with db.transaction() as session:
                write(session, self._run_id, self.work)
        except OperationalError as error:
            log.warning("report_failed", error=str(error.orig))
