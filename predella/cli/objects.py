"""``predella object``: what may be done with objects of a collection."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from predella import db
from predella.cli.output import acting, fail, out, print_json
from predella.errors import InvalidError
from predella.formats.manifest import gate_rows
from predella.ids import CollectionId
from predella.models import ObjectGate, Sensitivity
from predella.services import collections, gates
from predella.services.gates import Change, Counted

app = typer.Typer(help="Objects of a collection.", no_args_is_help=True)


class Permission(StrEnum):
    """As a manifest writes it."""

    ALLOWED = "allowed"
    DENIED = "denied"


@app.command("gates")
def show_or_change(
    slug: Annotated[str, typer.Argument(help="The collection's short name.")],
    number: Annotated[str | None, typer.Argument(help="The object's number.")] = None,
    *,
    file: Annotated[
        Path | None,
        typer.Option(
            "--from",
            help="Many objects: one number a line, or a CSV with the manifest's columns.",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only count what would change.")
    ] = False,
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
    """Show what may be done with an object; or change it, or many, everywhere at once.

    What a row of the file says counts for its object; the options count for what it leaves empty.
    """
    to = Change(
        sensitivity=sensitivity,
        sensitivity_note=note,
        ai_processing=_is_allowed(ai_processing),
        exportable=_is_allowed(export),
        embargo_until=embargo_until and embargo_until.date(),
        rights_work=rights,
        clear=clear or (),
    )
    if (number is None) == (file is None):
        raise InvalidError("name one object, or a file of many with --from")
    if file is not None or dry_run:
        own = _own(file) if file else {number or "": {}}
        wanted = {number: to.but(said) for number, said in own.items()}
        _tell(_change_many(slug, wanted, reason, dry_run=dry_run), dry_run=dry_run, json=json)
        return
    row = _show_or_change(slug, number or "", to, reason)
    if json:
        print_json(row)
    else:
        _print(row)


def _show_or_change(slug: str, number: str, to: Change, reason: str) -> Mapping[str, Any]:
    is_asked = to == Change()
    scope = "collections:read" if is_asked else "submissions:write"
    with db.transaction() as session:
        account = acting(session, scope, slug=slug).account
        within = CollectionId(collections.by_slug(session, slug).id)
        if is_asked:
            gate = gates.get(session, within, number)
        else:
            gate = gates.change(session, within, number, to, account=account, reason=reason)
        return _row(gate) | {"kept_back_by": gates.beside(session, within, number)}


def _own(file: Path) -> Mapping[str, Mapping[str, Any]]:
    try:
        with file.open("rb") as stream:
            return gate_rows.read(stream)
    except OSError as error:
        raise InvalidError(f"{file} cannot be read: {error.strerror}") from error


def _change_many(slug: str, wanted: Mapping[str, Change], reason: str, *, dry_run: bool) -> Counted:
    """Change all of them; none where something hinders that, which is counted alike."""
    with db.transaction() as session:
        account = acting(session, "submissions:write", slug=slug).account
        within = CollectionId(collections.by_slug(session, slug).id)
        counted = gates.count(session, within, wanted)
        if dry_run or counted.unknown:
            return counted
        return gates.change_many(session, within, wanted, account=account, reason=reason)


def _tell(counted: Counted, *, dry_run: bool, json: bool) -> None:
    is_done = not (dry_run or counted.unknown)
    if json:
        print_json(asdict(counted) | {"is_done": is_done})
    else:
        would = "" if is_done else "would be "
        out.print(
            f"{counted.changed:,} of {counted.objects:,} objects {would}changed:"
            f" {counted.closed:,} closed, {counted.opened:,} opened."
        )
        for number in counted.unknown:
            out.print(Text(f"unknown: {number}"), soft_wrap=True)
    if counted.unknown:
        left = "" if dry_run else "; nothing was changed"
        fail(f"{len(counted.unknown):,} numbers are not known in this collection{left}")


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
        if value not in (None, []):
            table.add_row(name, Text(_shown(value)))
    out.print(table)


def _shown(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(value)
        case datetime():
            return f"{value:%Y-%m-%d %H:%M}"
        case date():
            return value.isoformat()
        case _:
            return str(value)
