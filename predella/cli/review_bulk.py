"""``predella review bulk``: one decision on all that a query finds, and taking it back."""

from collections import Counter
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import typer
from rich.text import Text
from sqlalchemy.orm import Session

from predella import db
from predella.cli.output import Exit, acting, err, out, print_json, reaching
from predella.ids import SelectionId
from predella.models import Client, Decision, RejectionReason, Selection
from predella.services import bulks, searches, selections
from predella.services.accounts import Principal
from predella.services.bulks import BulkDecision, BulkResult
from predella.services.searches import Search

Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


class Verb(StrEnum):
    """What is done with all."""

    APPROVE = "approve"
    REJECT = "reject"
    REOPEN = "reopen"


_DECISIONS: dict[Verb, tuple[BulkDecision, str]] = {
    Verb.APPROVE: (Decision.APPROVED, "approvals:write"),
    Verb.REJECT: (Decision.REJECTED, "reviews:write"),
    Verb.REOPEN: (Decision.REOPENED, "approvals:write"),
}
"""And the scope that it needs."""


def bulk(
    *,
    query: Annotated[str, typer.Option(help='As in "state:needs_review check:loop".')],
    decision: Annotated[Verb, typer.Option(help="What to do with all that is found.")],
    reason: Annotated[
        RejectionReason | None, typer.Option(help="Why they are rejected.", show_default=False)
    ] = None,
    note: Annotated[
        str | None, typer.Option(help="What others should know.", show_default=False)
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, max=selections.MAX_MEMBERS, help="Only the first so many."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count them.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for the number.")] = False,
    json: Json = False,
) -> None:
    """Decide alike on all that a query finds; only what you have had open is approved."""
    wanted, scope = _DECISIONS[decision]
    if dry_run:
        _count(query, scope, json=json)
        return
    frozen = _freeze(query, scope, limit)
    if not yes:
        _ask_number(frozen.count, decision)
    with db.transaction() as session:
        result = bulks.decide(
            session,
            SelectionId(frozen.id),
            expected_count=frozen.count,
            decision=wanted,
            reason=reason,
            note=note,
            account=acting(session, scope, selection_id=frozen.id).account,
            client=Client.CLI,
        )
        _tell(result, json=json)
    raise typer.Exit(_code(result))


def revert(
    selection: Annotated[UUID, typer.Argument(help="As `review bulk` named it.")],
    *,
    json: Json = False,
) -> None:
    """Reopen what was decided in bulk and nobody has decided anew since."""
    with db.transaction() as session:
        account = acting(session, "approvals:write", selection_id=selection).account
        result = bulks.revert(session, SelectionId(selection), account=account, client=Client.CLI)
        _tell(result, json=json)
    raise typer.Exit(_code(result))


def _count(query: str, scope: str, *, json: bool) -> None:
    with db.transaction() as session:
        search = _parsed(session, query, reaching(session, scope), scope)
        found = searches.count(session, search)
    if json:
        print_json({"query": str(search), "count": found})
    else:
        out.print(f"{found:,} texts: {search}", markup=False, highlight=False)


def _parsed(session: Session, query: str, principal: Principal, scope: str) -> Search:
    reach = principal.reach(scope)
    return searches.parse(session, query, account=principal.account, within=reach)


def _freeze(query: str, scope: str, limit: int | None) -> Selection:
    with db.transaction() as session:
        principal = reaching(session, scope)
        account, search = principal.account, _parsed(session, query, principal, scope)
        frozen = selections.freeze(session, search, account=account, limit=limit)
        opened = selections.opened(session, SelectionId(frozen.id), account=account)
        session.expunge(frozen)
    err.print(
        f"Selection {frozen.id}: {frozen.count:,} texts, of which you have had {opened:,} open.",
        highlight=False,
    )
    return frozen


def _ask_number(count: int, verb: Verb) -> None:
    typed = typer.prompt(f"To {verb} them, type their number", err=True)
    if typed.strip().replace(",", "") != str(count):
        err.print("That is not the number; nothing was decided.")
        raise typer.Exit(Exit.FAILURE)


def _tell(result: BulkResult, *, json: bool) -> None:
    if json:
        print_json(
            {
                "selection": result.selection.id,
                "query": result.selection.query,
                "decision": result.decision,
                "decided": result.decided,
                "refused": [{"id": one.analysis_id, "why": one.why} for one in result.refused],
            }
        )
        return
    for one in result.refused:
        err.print(Text(f"{one.analysis_id}: {one.why}", style="bold red"), soft_wrap=True)
    reasons = Counter(one.why.value for one in result.refused)
    left = "".join(f", {number:,} {why}" for why, number in reasons.items())
    out.print(f"{result.decided:,} {result.decision}{left}.", highlight=False)
    out.print(f"predella review revert {result.selection.id} takes it back.", highlight=False)


def _code(result: BulkResult) -> Exit:
    if not result.refused:
        return Exit.OK
    return Exit.PARTIAL if result.decided else Exit.CONFLICT
