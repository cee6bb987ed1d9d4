"""``predella audit``: who did what, and whether the log of it still holds."""

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from predella import db
from predella.cli.output import acting, fail, out, print_json, print_json_lines
from predella.models import AuditEntry
from predella.services import audits

app = typer.Typer(help="Who did what.", no_args_is_help=True)


@app.command("list")
def list_(
    *,
    after: Annotated[int, typer.Option(min=0, help="Only what came after this seq.")] = 0,
    limit: Annotated[int, typer.Option(min=1, help="At most so many entries.")] = 1000,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show the entries, the oldest first."""
    with db.transaction() as session:
        acting(session, "accounts:write")
        rows = [_row(entry) for entry in audits.listed(session, after=after, limit=limit)]
    if json:
        print_json_lines(rows)
        return
    shown = ("seq", "at", "account_name", "action", "subject_id")
    table = Table(*(column.replace("_", " ") for column in shown), box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(Text("" if row[column] is None else str(row[column])) for column in shown))
    out.print(table)


@app.command()
def verify(
    *, json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False
) -> None:
    """Compute the whole chain anew; ends with 1 and the first broken entry if it does not hold."""
    with db.transaction() as session:
        verdict = audits.verify(session)
    head = verdict.head.hex() if verdict.head else None
    broken = verdict.broken
    if json:
        print_json(
            {
                "sealed": verdict.sealed,
                "unsealed": verdict.unsealed,
                "head": head,
                "broken": broken and {"number": broken.number, "what": broken.what},
            }
        )
    if broken is not None:
        place = "the chain" if broken.number is None else f"entry {broken.number}"
        fail(f"the audit log does not hold at {place}: {broken.what}")
    if not json:
        out.print(
            f"{verdict.sealed:,} entries hold, {verdict.unsealed:,} are not sealed yet."
            f" Head: {head or 'none'}",
            soft_wrap=True,
        )


def _row(entry: AuditEntry) -> dict[str, object]:
    return {
        "seq": entry.seq,
        "at": entry.at.isoformat(),
        "account_id": entry.account_id,
        "account_name": entry.account_name,
        "action": entry.action,
        "subject_kind": entry.subject_kind,
        "subject_id": entry.subject_id,
        "collection_id": entry.collection_id,
        "details": entry.details,
        "number": entry.number,
        "hash": entry.hash.hex() if entry.hash else None,
    }
