"""From model-ready pictures to recorded analyses."""

import structlog

from predella.models import Stage
from predella.settings import Settings
from predella.storage import Store
from worker.backlog import Backlog
from worker.engine.protocol import Engine
from worker.feed import Feed, Plan
from worker.questions import Questions
from worker.reading import Picture, Reader, name
from worker.recording import Finished, Recorder
from worker.report import Report
from worker.rounds import Rounds
from worker.shift import Shift

_THREADS = 8
_CLAIM = 8
_AHEAD = 64
"""The most pictures that lie opened: 1.3 MB each for LLaVA."""
_BACKLOG = 4
"""Times what the engine holds, finished and not recorded: a database may be away for a while."""
_REPORT_SECONDS = 10

log = structlog.get_logger()


def run(*, store: Store, engine: Engine, settings: Settings, shift: Shift) -> None:
    """Analyze what waits, until nothing does or the shift is over.

    Raises:
        EngineBrokenError: what it was working on is put back, and the rest given back.
        UnavailableError: the store is away; everything is given back.
    """
    report = Report(engine)
    questions = Questions(engine)
    reader = Reader(store, engine, settings, questions=questions, report=report)
    try:
        with Feed(_plan(reader, engine, settings), shift) as feed:
            recorder = Recorder(
                store,
                feed,
                settings,
                device=engine.device,
                questions=questions,
                report=report,
            )
            with Backlog[Finished](
                recorder.record,
                most=_BACKLOG * engine.batch_size,
                tick=report.renew,
                seconds=_REPORT_SECONDS,
            ) as backlog:
                Rounds(engine, feed, backlog.add, report=report, settings=settings).go(shift)
    finally:
        report.renew(is_over=True)
    log.info("analyzed", model=engine.release.model_name, **vars(report.work))


def _plan(reader: Reader, engine: Engine, settings: Settings) -> Plan[Picture]:
    # Many may end at the same step, and as many are to be there then.
    ahead = min(_AHEAD, 2 * engine.batch_size)
    return Plan(
        stage=Stage.ANALYZE,
        fetch=reader.fetch,
        claim=min(_CLAIM, engine.batch_size),
        ahead=ahead,
        hand=ahead + (_BACKLOG + 2) * engine.batch_size,
        threads=_THREADS,
        lease_seconds=settings.lease_seconds,
        sift=reader.sift,
        name=name,
    )
