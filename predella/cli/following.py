"""Watching the items of a submission until every one has met its fate."""

import time

from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bars

from predella import db
from predella.cli import fates
from predella.cli.output import err
from predella.ids import SubmissionId
from predella.services import items
from predella.services.items import Progress

_PAUSE = 1.0


def follow(submission_id: SubmissionId, *, seconds: float | None) -> Progress:
    """Show how far the items have come, until nothing is left to do or the time is over."""
    began = time.monotonic()
    with _bars() as bars:
        task = bars.add_task("", counts="", pace="")
        first = latest = _progress(submission_id)
        while latest.running and (seconds is None or time.monotonic() - began < seconds):
            time.sleep(_PAUSE)
            latest = _progress(submission_id)
            over = latest.total - latest.running
            per_second = (over - first.total + first.running) / (time.monotonic() - began)
            bars.update(
                task,
                total=latest.total,
                completed=over,
                counts=_counts(latest),
                pace=_pace(latest.running, per_second),
            )
    return latest


def _progress(submission_id: SubmissionId) -> Progress:
    with db.transaction() as session:
        return items.progress(session, submission_id)


def _counts(progress: Progress) -> str:
    prepared, analyzed = f"{progress.prepared:,} prepared", f"{progress.analyzed:,} analyzed"
    return f"{prepared}, {analyzed}, {progress.failed:,} failed"


def _pace(running: int, per_second: float) -> str:
    if not per_second:
        return ""
    return f"{per_second:.1f}/s, {fates.about(running / per_second)} left"


def _bars() -> Bars:
    return Bars(
        BarColumn(),
        TextColumn("{task.completed:.0f} of {task.total:.0f}"),
        TextColumn("{task.fields[counts]}"),
        TextColumn("{task.fields[pace]}"),
        console=err,
        transient=True,
    )
