"""``predella status``: what became of everything that was handed in."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import chain
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.table import Table
from rich.text import Text
from sqlalchemy.orm import Session

from predella import db
from predella.cli import fates
from predella.cli.output import out, print_json, print_json_lines, reaching
from predella.errors import InvalidError
from predella.ids import CollectionId, Reach, SubmissionId
from predella.models import ItemState, Submission
from predella.services import collections, items, orientations, reports, runs, submissions

_PAGE = 1_000
_LATEST = 20

Rows = Iterator[dict[str, Any]]


def status(
    submission: Annotated[
        UUID | None, typer.Argument(help="The submission's id.", show_default=False)
    ] = None,
    *,
    collection: Annotated[
        str | None, typer.Option(help="A collection's slug.", show_default=False)
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every row and image.")] = False,
    failed: Annotated[bool, typer.Option("--failed", help="Every image that failed.")] = False,
    refused: Annotated[bool, typer.Option("--refused", help="Every row that was refused.")] = False,
    turned: Annotated[
        bool, typer.Option("--turned", help="Every image that seems to lie on its side.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="JSON; a list is JSON Lines.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="The list as CSV.")] = False,
) -> None:
    """Show how far a submission has come; without one, the latest.

    With --all, --failed, --refused or --turned it lists each with its reason, however many.
    """
    with db.transaction() as session:
        scope = _scope(session, submission, collection)
        if everything or failed or refused or turned:
            rows = chain(
                _items(session, scope, None if everything else ItemState.FAILED)
                if everything or failed
                else (),
                _refusals(session, scope) if everything or refused else (),
                _turned(session, scope) if turned else (),
            )
            _print_rows(rows, json=json, csv=csv)
        elif scope.submission_id:
            _summarise(session, scope.submission_id, json=json)
        else:
            _latest(session, scope, json=json)


@dataclass(frozen=True)
class Scope:
    """What somebody asks about; both None for everything."""

    submission_id: SubmissionId | None
    collection_id: CollectionId | None
    within: Reach
    """Where they may see anything."""

    def require(self) -> None:
        """Go on only if something was named.

        Raises:
            InvalidError: nothing was.
        """
        if not (self.submission_id or self.collection_id):
            raise InvalidError("name a submission, or a --collection, to list")


def _scope(session: Session, submission: UUID | None, slug: str | None) -> Scope:
    reader = reaching(session, "collections:read", submission_id=submission, slug=slug)
    return Scope(
        SubmissionId(submission) if submission else None,
        CollectionId(collections.by_slug(session, slug).id) if slug else None,
        reader.reach("collections:read"),
    )


def _items(session: Session, scope: Scope, state: ItemState | None) -> Rows:
    scope.require()
    after: UUID | None = None
    while page := items.listed(
        session,
        submission_id=scope.submission_id,
        collection_id=scope.collection_id,
        state=state,
        after=after,
        limit=_PAGE,
    ):
        yield from map(fates.of_item, page)
        after = page[-1].id
        session.expunge_all()


def _turned(session: Session, scope: Scope) -> Rows:
    scope.require()
    for item, sentence in orientations.turned(
        session, submission_id=scope.submission_id, collection_id=scope.collection_id
    ):
        yield fates.of_item(item) | {"code": "turned", "reason": sentence}


def _refusals(session: Session, scope: Scope) -> Rows:
    scope.require()
    for submission_id in _submissions(session, scope):
        after: UUID | None = None
        while page := submissions.refusals(session, submission_id, after=after, limit=_PAGE):
            yield from map(fates.of_refusal, page)
            after = page[-1].id
            session.expunge_all()


def _submissions(session: Session, scope: Scope) -> Iterator[SubmissionId]:
    if scope.submission_id:
        yield scope.submission_id
        return
    after: UUID | None = None
    while page := [
        each.id
        for each in submissions.listed(
            session, within=scope.within, collection_id=scope.collection_id, after=after
        )
    ]:
        yield from map(SubmissionId, page)
        after = page[-1]


def _print_rows(rows: Iterable[dict[str, Any]], *, json: bool, csv: bool) -> None:
    if json:
        print_json_lines(rows)
    elif csv:
        fates.print_csv(rows)
    else:
        fates.print_lines(rows)


def _summarise(session: Session, submission_id: SubmissionId, *, json: bool) -> None:
    submission = submissions.get(session, submission_id)
    report = reports.report(session, submission)
    progress = items.progress(session, submission_id)
    failures = items.failures(session, submission_id)
    outlook = runs.outlook(session, submission_id)
    if json:
        print_json(
            _row(submission)
            | fates.report_json(report)
            | {"progress": fates.progress_json(progress, failures), "analysis": asdict(outlook)}
        )
        return
    fates.print_report(report)
    if progress.total:
        fates.print_progress(progress, failures)
        fates.print_outlook(outlook)
        out.print(f"Every image: predella status {submission_id} --all", soft_wrap=True)


def _latest(session: Session, scope: Scope, *, json: bool) -> None:
    rows = [
        _row(each)
        for each in submissions.latest(
            session, within=scope.within, collection_id=scope.collection_id, limit=_LATEST
        )
    ]
    if json:
        print_json(rows)
        return
    columns = ("id", "created_at", "collection", "title", "state", "rows_accepted", "rows_refused")
    headers = ("id", "at", "collection", "title", "state", "accepted", "refused")
    table = Table(*headers, box=None, pad_edge=False)
    table.columns[0].no_wrap = True
    for row in rows:
        table.add_row(*(Text(_shown(row[column])) for column in columns))
    out.print(table)
    fates.print_outlook(runs.outlook(session))


def _row(submission: Submission) -> dict[str, Any]:
    return {
        "id": submission.id,
        "created_at": submission.created_at,
        "received_at": submission.received_at,
        "collection": submission.collection.slug,
        "account": submission.account.name,
        "title": submission.title,
        "source": submission.source,
        "state": submission.state,
        "is_withdrawn": submission.is_withdrawn,
        "is_held": submission.is_held,
        "rows_read": submission.rows_read,
        "rows_accepted": submission.rows_accepted,
        "rows_refused": submission.rows_refused,
    }


def _shown(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return "" if value is None else str(value)
