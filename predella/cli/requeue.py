"""``predella requeue``: let failed images be tried again."""

from typing import Annotated
from uuid import UUID

import typer

from predella import db
from predella.cli.output import acting, err, out
from predella.ids import ItemId, SubmissionId
from predella.services import items, submissions


def requeue(
    submission: Annotated[UUID, typer.Argument(help="The submission's id.")],
    *,
    code: Annotated[
        list[str] | None,
        typer.Option(help="Only what failed with this; may be given several times."),
    ] = None,
    item: Annotated[
        list[UUID] | None, typer.Option(help="Only this item; may be given several times.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how many.")] = False,
) -> None:
    """Let failed images be tried again from the stage they failed in."""
    submission_id = SubmissionId(submission)
    with db.transaction() as session:
        acting(session, "submissions:write", submission_id=submission)
        submissions.get(session, submission_id)
        with session.begin_nested() as step:
            count = items.requeue(
                session,
                submission_id=submission_id,
                item_ids=[ItemId(each) for each in item] if item else None,
                codes=code,
            )
            if dry_run:
                step.rollback()
        left = items.failures(session, submission_id)
    out.print(f"{count:,} items {'would be' if dry_run else 'are to be'} tried again.")
    for failure in left:
        if failure.code in items.HAND_IN_AGAIN:
            err.print(f"{failure.count:,} files changed since: hand them in again.")
