"""``predella control``: known-bad texts left in the queue, to see whether review finds them."""

from typing import Annotated
from uuid import UUID

import typer

from predella import db
from predella.cli.output import acting, out, print_json
from predella.ids import AnalysisId, CollectionId, ControlId
from predella.models import Client, RejectionReason
from predella.services import collections, controls

app = typer.Typer(help="Known-bad texts that test the review.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


@app.command()
def seed(
    analysis: Annotated[UUID, typer.Argument(metavar="ID", help="An analysis known to be bad.")],
    *,
    expected: Annotated[RejectionReason, typer.Option(help="What is wrong with it.")],
    json: Json = False,
) -> None:
    """Leave a text that is known to be bad in the queue. Its wording never leaves."""
    with db.transaction() as session:
        account = acting(session, "approvals:write", analysis_id=analysis).account
        made = controls.seed(session, AnalysisId(analysis), expected=expected, account=account)
        row = {"id": made.id, "analysis": made.analysis_id, "expected": made.expected}
    if json:
        print_json(row)
    else:
        out.print(f"Control {row['id']} waits in the queue.", highlight=False, soft_wrap=True)


@app.command()
def reveal(
    control: Annotated[UUID, typer.Argument(metavar="ID", help="The control.")],
    *,
    json: Json = False,
) -> None:
    """Say openly that a text was a control item; one that was approved is reopened."""
    with db.transaction() as session:
        account = acting(session, "approvals:write", control_id=control).account
        told = controls.reveal(session, ControlId(control), account=account, client=Client.CLI)
        row = {"id": told.id, "analysis": told.analysis_id, "revealed_at": told.revealed_at}
    if json:
        print_json(row)
    else:
        out.print(f"Control {row['id']} is revealed.", highlight=False, soft_wrap=True)


@app.command()
def report(
    collection: Annotated[str, typer.Argument(help="The collection's slug.")],
    *,
    json: Json = False,
) -> None:
    """Tell how many control items of a collection were found; never by whom."""
    with db.transaction() as session:
        acting(session, "approvals:write", slug=collection)
        of = collections.by_slug(session, collection)
        found = controls.caught(session, CollectionId(of.id))
    if json:
        print_json(
            {
                "seeded": found.seeded,
                "caught": found.caught,
                "missed": found.missed,
                "waiting": found.waiting,
                "rate": found.rate,
            }
        )
        return
    rate = "" if found.rate is None else f" ({found.rate:.0%})"
    out.print(
        f"{found.seeded} seeded: {found.caught} caught{rate}, {found.missed} missed,"
        f" {found.waiting} waiting.",
        highlight=False,
    )
