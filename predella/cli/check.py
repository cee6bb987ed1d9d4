"""``predella check``: what the automatic checks look for and find, and running them again."""

from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from predella import db
from predella.checks import CHECKS
from predella.cli.output import acting, err, out, print_json, reaching
from predella.ids import AnalysisId, CollectionId
from predella.models import ReviewState
from predella.services import collections, findings, rechecking
from predella.services.findings import Count

app = typer.Typer(help="Automatic checks on every wording.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


@app.command("list")
def list_(
    *,
    collection: Annotated[
        str | None, typer.Option(help="A collection's slug.", show_default=False)
    ] = None,
    state: Annotated[
        ReviewState | None, typer.Option(help="Only texts that stand so.", show_default=False)
    ] = None,
    json: Json = False,
) -> None:
    """Show every check, and of how many texts it has something open to say."""
    with db.transaction() as session:
        reader = reaching(session, "collections:read", slug=collection)
        within = CollectionId(collections.by_slug(session, collection).id) if collection else None
        counted = findings.counts(
            session, within=reader.reach("collections:read"), collection_id=within, state=state
        )
    rows = [_row(check.name, check.version, check.about, counted) for check in CHECKS]
    if json:
        print_json(rows)
        return
    table = Table("check", "looks for", "hard", "soft", "info", box=None, pad_edge=False)
    for row in rows:
        numbers = (f"{row[severity]:,}" if row[severity] else "" for severity in _COLUMNS)
        table.add_row(Text(row["check"]), Text(row["about"]), *numbers)
    out.print(table)


@app.command()
def run(
    *,
    collection: Annotated[str, typer.Option(help="A collection's slug.")],
    everything: Annotated[
        bool,
        typer.Option("--everything", help="Also what was checked as it would be today."),
    ] = False,
    json: Json = False,
) -> None:
    """Check newest wordings again after a check, a threshold or a glossary changed.

    It may be stopped at any time, and begun again: what is done is done.
    """
    with db.transaction() as session:
        acting(session, "collections:write", slug=collection)
        within = CollectionId(collections.by_slug(session, collection).id)
        due = rechecking.due(session, within, everything=everything)
    checked = _run(within, due, everything=everything)
    if json:
        print_json({"due": due, "checked": checked})
    else:
        out.print(f"{checked:,} texts of {collection} were checked again.")


_COLUMNS = ("hard", "soft", "info")


def _row(check: str, version: int, about: str, counted: list[Count]) -> dict[str, Any]:
    open_ = {one.severity.value: one.analyses for one in counted if one.check.value == check}
    return {"check": check, "version": version, "about": about} | {
        severity: open_.get(severity, 0) for severity in _COLUMNS
    }


def _run(within: CollectionId, due: int, *, everything: bool) -> int:
    """Go on batch by batch, each in a transaction of its own."""
    checked, last = 0, None
    while True:
        with db.transaction() as session:
            step = rechecking.run_due(session, within, after=last, everything=everything)
        if step.last is None:
            return checked
        checked, last = checked + step.checked, AnalysisId(step.last)
        err.print(f"{checked:,} of {due:,}", highlight=False)
