"""``predella lot``: accept many texts, or refuse them, by reading a sample of them."""

from typing import Annotated, Any
from uuid import UUID

import typer
from rich.table import Table
from rich.text import Text
from sqlalchemy.orm import Session

from predella import db, sampling
from predella.cli.output import Exit, acting, out, print_json
from predella.ids import CollectionId, LotId
from predella.models import Client, Lot, LotState
from predella.sampling import TERMS, Plan
from predella.services import collections, lots, searches

app = typer.Typer(help="Accept texts by reading a sample of them.", no_args_is_help=True)

Id = Annotated[UUID, typer.Argument(metavar="ID", help="The lot.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]

_SIZES = (100, 300, 1_000, 3_000, 10_000, 100_000)
_SHARES = (0.005, 0.01, 0.02, 0.05, 0.08)
_PAGE = 1_000


@app.command()
def plans(
    *,
    members: Annotated[
        int | None,
        typer.Option(min=1, max=lots.MAX_MEMBERS, help="Texts in the lot.", show_default=False),
    ] = None,
    json: Json = False,
) -> None:
    """Print what each plan reads, and how probably a lot passes that is so bad."""
    rows = [_promise(plan, size) for plan in Plan for size in ([members] if members else _SIZES)]
    if json:
        print_json(rows)
        return
    shares = (f"{share:.1%}" for share in _SHARES)
    title = "how probably a lot passes with such a share of bad texts"
    columns = ("plan", "lot", "read", "allowed", *shares)
    table = Table(*columns, title=title, title_justify="left", box=None, pad_edge=False)
    table.columns[0].no_wrap = True
    for row in rows:
        chances = (f"{chance:.3f}" for chance in row["passes"].values())
        told = (row["plan"], f"{row['members']:,}", str(row["sample"]), str(row["allowed"]))
        table.add_row(*told, *chances)
    out.print(table)


@app.command()
def create(
    collection: Annotated[str, typer.Argument(help="The collection's slug.")],
    *,
    plan: Annotated[Plan, typer.Option(help="How strictly; see `predella lot plans`.")],
    query: Annotated[
        str, typer.Option(help='Only what it finds, as in "conf:>=0.8".', show_default=False)
    ] = "",
    json: Json = False,
) -> None:
    """Freeze a lot of what needs review and no check finds fault with; draw its sample."""
    with db.transaction() as session:
        account = acting(session, "approvals:write", slug=collection).account
        of = collections.by_slug(session, collection)
        here = frozenset({CollectionId(of.id)})
        search = searches.parse(session, query, account=account, within=here)
        lot = lots.create(session, collection=of, plan=plan, account=account, search=search)
        row = _row(session, lot)
    _tell(row, json=json)


@app.command()
def show(
    lot_id: Id,
    *,
    sample: Annotated[bool, typer.Option("--sample", help="The texts to read as well.")] = False,
    json: Json = False,
) -> None:
    """Show one lot, and how far the reading of its sample has come."""
    with db.transaction() as session:
        acting(session, "collections:read", lot_id=lot_id)
        lot = lots.get(session, LotId(lot_id))
        row = _row(session, lot)
        if sample:
            row["sample"] = [
                {"number": one.number, "id": one.analysis_id, "judgement": one.judgement}
                for one in lots.sample(session, lot)
            ]
    _tell(row, json=json)


@app.command()
def conclude(lot_id: Id, *, json: Json = False) -> None:
    """Let the sample decide: what nobody read is accepted by sample, or nothing is."""
    with db.transaction() as session:
        account = acting(session, "approvals:write", lot_id=lot_id).account
        lot = lots.conclude(session, LotId(lot_id), account=account, client=Client.CLI)
        row = _row(session, lot)
    _tell(row, json=json)
    raise typer.Exit(Exit.OK if row["state"] is LotState.PASSED else Exit.PARTIAL)


@app.command()
def revert(lot_id: Id, *, json: Json = False) -> None:
    """Reopen what a lot accepted."""
    with db.transaction() as session:
        account = acting(session, "approvals:write", lot_id=lot_id).account
        lot = lots.revert(session, LotId(lot_id), account=account, client=Client.CLI)
        row = _row(session, lot)
    _tell(row, json=json)


@app.command()
def report(
    collection: Annotated[str, typer.Argument(help="The collection's slug.")],
    *,
    json: Json = False,
) -> None:
    """List the lots of a collection, and what each sample says."""
    with db.transaction() as session:
        acting(session, "collections:read", slug=collection)
        rows = _rows(session, CollectionId(collections.by_slug(session, collection).id))
    if json:
        print_json(rows)
        return
    columns = ("id", "plan", "state", "members", "sampled", "reviewed", "defects", "accepted")
    table = Table(*columns, "at most bad", box=None, pad_edge=False)
    table.columns[0].no_wrap = True
    for row in rows:
        cells = (str(row[column]) for column in columns)
        table.add_row(*map(Text, cells), f"{row['upper_bound']:.1%}")
    out.print(table)


def _rows(session: Session, of: CollectionId) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    after: UUID | None = None
    while page := lots.listed(session, within={of}, after=after, limit=_PAGE):
        rows += [_row(session, lot) for lot in page]
        after = page[-1].id
    return rows


def _promise(plan: Plan, members: int) -> dict[str, Any]:
    size, allowed = sampling.sample_size(plan, members), TERMS[plan].allowed
    return {
        "plan": plan,
        "members": members,
        "sample": size,
        "allowed": allowed,
        "passes": {
            share: sampling.acceptance(
                members=members, bad=round(members * share), sample=size, allowed=allowed
            )
            for share in _SHARES
        },
    }


def _row(session: Session, lot: Lot) -> dict[str, Any]:
    found = lots.progress(session, lot)
    return {
        "id": lot.id,
        "created_at": lot.created_at,
        "collection": lot.collection.slug,
        "account": lot.account.name,
        "query": lot.query,
        "plan": lot.plan,
        "state": lot.state,
        "seed": lot.seed,
        "members": lot.member_count,
        "flagged": lot.flagged_count,
        "sampled": found.sample,
        "allowed": found.allowed,
        "reviewed": found.reviewed,
        "defects": found.defects,
        "upper_bound": found.upper_bound,
        "can_pass": found.can_pass,
        "accepted": lot.accepted_count,
        "concluded_at": lot.concluded_at,
    }


def _tell(row: dict[str, Any], *, json: bool) -> None:
    if json:
        print_json(row)
        return
    out.print(
        f"Lot {row['id']}: {row['members']:,} works, {row['sampled']} drawn"
        f" (seed {row['seed']}), {row['reviewed']} reviewed, {row['defects']} defects;"
        f" {row['flagged']:,} flagged texts are read one by one.",
        highlight=False,
        soft_wrap=True,
    )
    out.print(_VERDICTS[row["state"]].format(**row), highlight=False, soft_wrap=True)
    for one in row.get("sample", ()):
        out.print(f"{one['number']:>4}  {one['id']}  {one['judgement'] or ''}", highlight=False)


_VERDICTS = {
    LotState.OPEN: "It passes with at most {allowed} defects in {sampled}. So far:"
    " at most {upper_bound:.1%} defective, with 95 % confidence.",
    LotState.PASSED: "It passed: {accepted:,} texts that nobody read were accepted by sample;"
    " at most {upper_bound:.1%} defective, with 95 % confidence.",
    LotState.FAILED: "It failed: nothing was accepted; its texts are read one by one.",
    LotState.REVERTED: "It was reverted: what it had accepted needs review again.",
}
