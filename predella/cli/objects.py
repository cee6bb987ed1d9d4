"""``predella object``: what may be done with one object of a collection."""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from predella import db
from predella.cli.output import acting, out, print_json
from predella.ids import CollectionId
from predella.models import ObjectGate, Sensitivity
from predella.services import collections, gates
from predella.services.gates import Change

app = typer.Typer(help="Single objects of a collection.", no_args_is_help=True)


class Permission(StrEnum):
    """As a manifest writes it."""

    ALLOWED = "allowed"
    DENIED = "denied"


@app.command("gates")
def show_or_change(
    slug: Annotated[str, typer.Argument(help="The collection's short name.")],
    number: Annotated[str, typer.Argument(help="The object's number.")],
    *,
    sensitivity: Annotated[Sensitivity | None, typer.Option(show_default=False)] = None,
    note: Annotated[
        str | None, typer.Option(help="Why it is sensitive, for the curators.", show_default=False)
    ] = None,
    ai_processing: Annotated[
        Permission | None, typer.Option(help="May a model see it?", show_default=False)
    ] = None,
    export: Annotated[
        Permission | None, typer.Option(help="May its text leave?", show_default=False)
    ] = None,
    embargo_until: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The first day to leave on.", show_default=False),
    ] = None,
    rights: Annotated[
        str | None, typer.Option(help="Rights in the work: an address.", show_default=False)
    ] = None,
    clear: Annotated[
        list[str] | None,
        typer.Option(help="Empty sensitivity_note, embargo_until or rights_work."),
    ] = None,
    reason: Annotated[str, typer.Option(help="Why; kept in the audit log.")] = "",
    json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Show what may be done with an object; or change it, everywhere at once."""
    to = Change(
        sensitivity=sensitivity,
        sensitivity_note=note,
        ai_processing=_is_allowed(ai_processing),
        exportable=_is_allowed(export),
        embargo_until=embargo_until and embargo_until.date(),
        rights_work=rights,
        clear=clear or (),
    )
    with db.transaction() as session:
        principal = acting(session, "collections:read" if to == Change() else "submissions:write")
        collection_id = CollectionId(collections.by_slug(session, slug).id)
        if to == Change():
            gate = gates.get(session, collection_id, number)
        else:
            gate = gates.change(
                session, collection_id, number, to, account=principal.account, reason=reason
            )
        row = _row(gate)
    if json:
        print_json(row)
    else:
        _print(row)


def _row(gate: ObjectGate) -> dict[str, Any]:
    return {
        "object_number": gate.object_number,
        "sensitivity": gate.sensitivity,
        "sensitivity_note": gate.sensitivity_note,
        "ai_processing": _permission(allowed=gate.ai_processing),
        "export": _permission(allowed=gate.exportable),
        "embargo_until": gate.embargo_until,
        "rights_work": gate.rights_work,
        "is_open": gate.is_open,
        "reason": gate.reason,
        "submission_id": gate.submission_id,
        "changed_at": gate.changed_at,
    }


def _is_allowed(said: Permission | None) -> bool | None:
    return None if said is None else said is Permission.ALLOWED


def _permission(*, allowed: bool) -> Permission:
    return Permission.ALLOWED if allowed else Permission.DENIED


def _print(row: Mapping[str, Any]) -> None:
    table = Table("", "", box=None, pad_edge=False, show_header=False)
    for name, value in row.items():
        if value is not None:
            table.add_row(name, Text(_shown(value)))
    out.print(table)


def _shown(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case datetime():
            return f"{value:%Y-%m-%d %H:%M}"
        case date():
            return value.isoformat()
        case _:
            return str(value)
