"""``predella submit``: hand images in, and see at once what was accepted."""

import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.status import Status

from predella import db, storage
from predella.cli import fates, following, uploading
from predella.cli.output import Exit, acting, err, fail, print_json
from predella.errors import InvalidError
from predella.formats import manifest
from predella.ids import AccountId, CollectionId, SubmissionId
from predella.models import Account, Collection, SubmissionState
from predella.services import collections, items, submissions
from predella.services.items import Failure, Progress
from predella.services.reports import Report
from predella.services.sources import Readable
from predella.services.watching import Tell


def submit(
    source: Annotated[
        str | None,
        typer.Argument(
            help="A manifest (CSV or JSON Lines) or a folder, on this machine or s3://...",
            show_default=False,
        ),
    ] = None,
    *,
    collection: Annotated[
        str | None, typer.Option(help="The collection's slug.", show_default=False)
    ] = None,
    title: Annotated[
        str | None,
        typer.Option(help="What to call it; else the name of the folder.", show_default=False),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
    preview: Annotated[
        int | None,
        typer.Option(
            min=1, help="So many objects first; the rest when you say so.", show_default=False
        ),
    ] = None,
    number_pattern: Annotated[
        str | None,
        typer.Option(
            help="How file names tell object numbers: (?P<number>...); '' is no pattern.",
            show_default="as the collection has it",
        ),
    ] = None,
    number_field: Annotated[
        str | None,
        typer.Option(
            help="Metadata of the pictures that tells them first: dc:identifier; '' is none.",
            show_default="as the collection has it",
        ),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Upload over other files of the same names.")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Until every image is done.")] = False,
    timeout: Annotated[
        float | None, typer.Option(min=0, help="Seconds to wait at most.", show_default=False)
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
    template: Annotated[
        bool, typer.Option("--template", help="Print the header of a manifest, and end.")
    ] = False,
) -> None:
    """Hand in a manifest or a folder of images.

    The same hand-in twice changes nothing. Exit codes: 3 when rows were refused or images
    failed, 6 when the time is over and the work still goes on.
    """
    if template:
        sys.stdout.write(manifest.template())
        return
    if source is None or collection is None:
        raise InvalidError("say what to hand in, and to which --collection")
    with db.transaction() as session:
        account = acting(session, "submissions:write", slug=collection).account
        into = collections.by_slug(session, collection)
        session.expunge_all()
    wishes = Wishes(preview, number_pattern, number_field)
    if dry_run:
        outcome = Outcome(_try_out(source, into, account, title, wishes))
        if not json:
            fates.print_report(outcome.report, tried_only=True)
    else:
        outcome = hand_in(
            source,
            into,
            account=account,
            title=title,
            wishes=wishes,
            replace=replace,
            wait=wait,
            seconds=timeout,
            quiet=json,
        )
    if json:
        print_json(outcome.as_json())
    raise typer.Exit(outcome.code)


@dataclass(frozen=True)
class Wishes:
    """How a hand-in is to be read and worked on."""

    preview: int | None = None
    number_pattern: str | None = None
    number_field: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What a hand-in came to, as far as somebody waited for it."""

    report: Report
    progress: Progress | None = None
    failures: tuple[Failure, ...] = ()

    @property
    def code(self) -> Exit:
        """What a shell script is told."""
        if self.report.state is SubmissionState.REFUSED:
            return Exit.FAILURE
        if self.progress and self.progress.running:
            return Exit.TIMED_OUT
        failed = self.progress and self.progress.failed
        return Exit.PARTIAL if failed or self.report.partial else Exit.OK

    def as_json(self) -> dict[str, object]:
        """Return it as one document."""
        progress = self.progress and fates.progress_json(self.progress, self.failures)
        return fates.report_json(self.report) | {"progress": progress}


def hand_in(
    source: str | Path,
    collection: Collection,
    *,
    account: Account,
    title: str | None = None,
    wishes: Wishes | None = None,
    replace: bool = False,
    wait: bool = False,
    seconds: float | None = None,
    quiet: bool = False,
) -> Outcome:
    """Upload what is local, hand it in, read it here and now, and wait for it if wanted."""
    report = _receive(str(source), collection, account, title, wishes or Wishes(), replace=replace)
    if not quiet:
        fates.print_report(report)
    if not wait or report.state is SubmissionState.REFUSED:
        return Outcome(report)
    followed = report.same_as_id or report.submission_id
    progress = _watch(followed, seconds)
    with db.transaction() as session:
        failures = tuple(items.failures(session, followed))
    if not quiet:
        fates.print_progress(progress, failures)
    return Outcome(report, progress, failures)


def _receive(
    source: str,
    collection: Collection,
    account: Account,
    title: str | None,
    wishes: Wishes,
    *,
    replace: bool,
) -> Report:
    store = storage.store()
    if not source.startswith("s3://"):
        planned = uploading.plan(Path(source), collection, title=title)
        uploading.upload(planned, store, replace=replace)
        source, title = planned.source, title or Path(source).resolve().name
    with err.status("Reading...") as status:
        return submissions.receive_at_once(
            store,
            collection_id=CollectionId(collection.id),
            account_id=AccountId(account.id),
            source=source,
            title=title,
            tell=_told(status),
            **asdict(wishes),
        )


def _told(status: Status) -> Tell:
    """Return what shows how many pictures were looked at."""

    def tell(done: int, total: int) -> None:
        status.update(f"Looking at the pictures: {done:,} of {total:,}")

    return tell


def _try_out(
    source: str, collection: Collection, account: Account, title: str | None, wishes: Wishes
) -> Report:
    store: Readable = storage.store()
    if not source.startswith("s3://"):
        planned = uploading.plan(Path(source), collection, title=title)
        source, store = planned.source, uploading.Planned(storage.store(), planned)
    with err.status("Reading...") as status, db.transaction() as session:
        return submissions.dry_run(
            session,
            collection,
            account=account,
            source=source,
            store=store,
            tell=_told(status),
            **asdict(wishes),
        )


def _watch(submission_id: SubmissionId, seconds: float | None) -> Progress:
    try:
        return following.follow(submission_id, seconds=seconds)
    except KeyboardInterrupt:
        fail(
            f"stopped watching; the work goes on. See: predella status {submission_id}",
            Exit.INTERRUPTED,
        )
