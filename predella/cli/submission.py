"""``predella submission``: take a hand-in back, bring it back, or let its rest follow."""

from typing import Annotated
from uuid import UUID

import typer

from predella import db
from predella.cli.output import acting, out, print_json
from predella.ids import SubmissionId
from predella.models import Submission
from predella.services import withdrawals

app = typer.Typer(help="Whole hand-ins, after they were read.", no_args_is_help=True)

Id = Annotated[UUID, typer.Argument(help="The submission's id.")]
Reason = Annotated[str, typer.Option(help="Why; kept in the audit log.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


@app.command()
def withdraw(submission: Id, *, reason: Reason, json: Json = False) -> None:
    """Take a hand-in back: its work stops, and its texts leave the queue and the exports."""
    with db.transaction() as session:
        account = acting(session, "submissions:write").account
        row = _row(
            withdrawals.withdraw(session, SubmissionId(submission), account=account, reason=reason)
        )
    if json:
        print_json(row)
    else:
        out.print(f"{submission} is withdrawn; nothing is deleted.", soft_wrap=True)
        out.print(f"To bring it back: predella submission restore {submission}", soft_wrap=True)


@app.command()
def restore(submission: Id, *, reason: Reason, json: Json = False) -> None:
    """Bring back a hand-in that was withdrawn: its work goes on, its texts stand as before."""
    with db.transaction() as session:
        account = acting(session, "submissions:write").account
        row = _row(
            withdrawals.restore(session, SubmissionId(submission), account=account, reason=reason)
        )
    if json:
        print_json(row)
    else:
        out.print(f"{submission} goes on.", soft_wrap=True)


@app.command()
def release(submission: Id, *, json: Json = False) -> None:
    """Let what waits behind the preview go on."""
    with db.transaction() as session:
        account = acting(session, "submissions:write").account
        count = withdrawals.release(session, SubmissionId(submission), account=account)
    if json:
        print_json({"id": submission, "released": count})
    else:
        out.print(f"{count:,} images go on.")


def _row(submission: Submission) -> dict[str, object]:
    return {
        "id": submission.id,
        "is_withdrawn": submission.is_withdrawn,
        "is_held": submission.is_held,
        "reason": submission.reason,
    }
