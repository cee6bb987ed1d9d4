"""``predella export``: approved wordings as a file that a catalog system reads."""

import hashlib
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text
from sqlalchemy.orm import Session
from typer.core import TyperGroup

from predella import db, storage
from predella.cli.output import (
    acting,
    err,
    fail,
    out,
    print_facts,
    print_json,
    print_json_lines,
    reaching,
)
from predella.errors import InvalidError, UnavailableError
from predella.formats import checking, profiles
from predella.formats.checking import Problem
from predella.ids import CollectionId, ExportId, Reach
from predella.models import Export, ExportFormat
from predella.services import collections, exporting, exports, outgoing
from predella.services.exports import ExportedLine
from predella.services.leases import Lease
from predella.services.outgoing import Gate
from predella.settings import get_settings

_PAGE = 1_000
_WHY = {
    Gate.SENSITIVE: "sensitive or restricted",
    Gate.AI_DENIED: "not to be seen by a model any more",
    Gate.DENIED: "not to be exported",
    Gate.EMBARGOED: "under embargo",
    Gate.RIGHTS_UNKNOWN: "without a rights statement for the work",
    Gate.BESIDE: "beside another object in the picture that may not leave",
}


class _Group(TyperGroup):
    """Lets ``predella export SLUG`` stand for ``predella export write SLUG``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        known = {*self.commands, "--help"}
        return super().parse_args(ctx, args if not args or args[0] in known else ["write", *args])


app = typer.Typer(
    cls=_Group,
    help="Hand approved wordings over to a catalog system.",
    no_args_is_help=True,
)

Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


@app.command()
def write(
    collection: Annotated[str, typer.Argument(help="The collection's slug.")],
    *,
    wanted: Annotated[ExportFormat, typer.Option("--format", help="What the catalog reads.")],
    to: Annotated[
        str | None,
        typer.Option(
            "--out",
            help="A file on this machine, or s3://OUR-BUCKET/exports/...",
            show_default=False,
        ),
    ] = None,
    profile: Annotated[
        Path | None,
        typer.Option(
            help="Your own columns for csv: a YAML file.",
            exists=True,
            dir_okay=False,
            show_default=False,
        ),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="EXPORT_ID|DATE",
            help="Only what changed since this export, or since this day in UTC.",
            show_default=False,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Export every approved wording that may leave; `export SLUG` means the same.

    The file lies in our bucket; with --out FILE it is copied to this machine too.
    """
    columns, after = _columns(profile), _moment(since)
    in_s3 = to is not None and to.startswith("s3://")
    local = Path(to) if to is not None and not in_s3 else None
    if local is not None:
        _require_folder(local)
    with db.transaction() as session:
        account = acting(session, "exports:write", slug=collection).account
        made = collections.by_slug(session, collection)
        export = exports.create(
            session,
            made,
            account=account,
            format=wanted,
            destination=to if in_s3 else None,
            profile=columns,
            since=after,
        )
        lease = exports.take(session, export)
    _write(lease)
    with db.transaction() as session:
        export = exports.get(session, ExportId(lease.id))
        if local is not None:
            _fetch(export, local)
        kept_back = outgoing.kept_back(
            session, export.collection_id, kinds=exporting.file_format(export).KINDS
        )
        row = _row(export) | {"file": str(local) if local else None, "kept_back": kept_back}
    if json:
        print_json(row)
    else:
        _say(row)


@app.command()
def fetch(
    export_id: Annotated[UUID, typer.Argument(help="The export's id.")],
    *,
    to: Annotated[Path, typer.Option("--out", help="A file on this machine.")],
    json: Json = False,
) -> None:
    """Copy the file of an export to this machine; after a lost line it goes on where it was."""
    _require_folder(to)
    with db.transaction() as session:
        acting(session, "collections:read", export_id=export_id)
        export = exports.get(session, ExportId(export_id))
        exports.require_file(export)
        _fetch(export, to)
        row = _row(export) | {"file": str(to)}
    if json:
        print_json(row)
    else:
        out.print(Text(f"{row['size']:,} bytes: {to}"), soft_wrap=True)


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="A file of an export.", exists=True, dir_okay=False)],
    *,
    profile: Annotated[
        Path | None,
        typer.Option(
            help="The YAML file with your own columns.",
            exists=True,
            dir_okay=False,
            show_default=False,
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="JSON Lines on stdout.")] = False,
) -> None:
    """Say what a catalog would stumble over in a file of any of our formats.

    Needs neither the database nor an account. Where PREDELLA_SCHEMAS is set, the official
    schemas have their say, too.
    """
    folder = get_settings().schemas
    columns = _columns(profile)
    problems = checking.check(
        file,
        profile=None if columns is None else profiles.read(str(profile), columns.encode()),
        schemas=checking.Schemas(folder) if folder else None,
    )
    count = _tell(problems, json=json)
    if count:
        fail(f"{count:,} things are wrong in {file.name}")
    err.print(f"Nothing is wrong in {file.name}.", soft_wrap=True, markup=False)


def _tell(problems: Iterator[Problem], *, json: bool) -> int:
    """Show each as it is found, and return how many there were."""
    count = 0
    for problem in problems:
        count += 1
        if json:
            print_json_lines([asdict(problem)])
        else:
            out.print(Text(str(problem)), soft_wrap=True)
    return count


@app.command()
def mapping(
    name: Annotated[
        str, typer.Argument(metavar="FORMAT", help="As yet only collectiveaccess has one.")
    ],
    *,
    to: Annotated[
        Path | None, typer.Option("--out", help="A file on this machine.", show_default=False)
    ] = None,
) -> None:
    """Write the sheet that tells a catalog's importer what the columns of a format are.

    Needs neither the database nor an account.
    """
    sheet = profiles.mapping(name)
    if to is None:
        sys.stdout.buffer.write(sheet)
        return
    if not to.parent.is_dir():
        raise InvalidError(f"there is no folder {str(to.parent)!r} to write {to.name!r} to")
    to.write_bytes(sheet)
    err.print(f"The mapping sheet is in {to}.", soft_wrap=True, markup=False)


@app.command("list")
def list_(
    *,
    collection: Annotated[
        str | None, typer.Option(help="A collection's slug.", show_default=False)
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="JSON Lines on stdout.")] = False,
) -> None:
    """Show every export, the oldest first."""
    with db.transaction() as session:
        reader = reaching(session, "collections:read", slug=collection)
        of = CollectionId(collections.by_slug(session, collection).id) if collection else None
        rows = map(_row, _all(session, reader.reach("collections:read"), of))
        if json:
            print_json_lines(rows)
        else:
            _print_table(rows)


@app.command()
def show(
    export_id: Annotated[UUID, typer.Argument(help="The export's id.")],
    *,
    lines: Annotated[
        bool, typer.Option("--lines", help="Every line that left; JSON Lines with --json.")
    ] = False,
    json: Json = False,
) -> None:
    """Show one export, or what left in it."""
    with db.transaction() as session:
        acting(session, "collections:read", export_id=export_id)
        export = exports.get(session, ExportId(export_id))
        if not lines:
            _show(_row(export), json=json)
        elif json:
            print_json_lines(map(_line, _lines(session, ExportId(export_id))))
        else:
            for line in map(_line, _lines(session, ExportId(export_id))):
                word = "withdrawn" if line["is_withdrawn"] else "wording"
                told = f"{line['number']:>7}  {line['object_number']}  {word} {line['revision_id']}"
                out.print(Text(told), soft_wrap=True)


def _columns(profile: Path | None) -> str | None:
    """Return a profile as it stands in its file."""
    if profile is None:
        return None
    try:
        return profile.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidError(f"{profile.name} is not in UTF-8: save it so") from error


def _require_folder(file: Path) -> None:
    if not file.parent.is_dir():
        raise InvalidError(f"there is no folder {str(file.parent)!r} to write {file.name!r} to")


def _moment(since: str | None) -> UUID | datetime | None:
    """Return an export's id, or a day."""
    if since is None:
        return None
    for reading in (UUID, datetime.fromisoformat):
        try:
            return reading(since)
        except ValueError:
            continue
    raise InvalidError(f"{since!r} is neither an export's id nor a day as 2026-11-29")


def _write(lease: Lease) -> None:
    try:
        with _bar() as bar:
            task = bar.add_task("texts", total=None)
            exports.write_leased(
                lease,
                storage.store(),
                tell=lambda done, total: bar.update(task, completed=done, total=total),
            )
    except UnavailableError:
        err.print(f"Export {lease.id} waits; a worker will write it.", soft_wrap=True)
        raise


def _bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, TimeRemainingColumn(), console=err, transient=True)


def _fetch(export: Export, to: Path) -> None:
    """Copy the file beside its place first: what was there stays until all has come.

    What came before the line was lost is not sent again.
    """
    unfinished = to.with_name(f".{to.name}.{export.id}.unfinished")
    with unfinished.open("ab") as copy:
        if (have := copy.tell()) < export.size:
            piece = range(have, export.size)
            with exports.open_file(export, storage.store(), piece) as file:
                shutil.copyfileobj(file, copy)
    with unfinished.open("rb") as copy:
        came = hashlib.file_digest(copy, "sha256").digest()
    if came != export.sha256:
        unfinished.unlink()
        raise UnavailableError("what came is not the file that was written; fetch it again")
    unfinished.replace(to)


def _all(session: Session, within: Reach, collection_id: CollectionId | None) -> Iterator[Export]:
    after: UUID | None = None
    while page := exports.listed(
        session, within=within, collection_id=collection_id, after=after, limit=_PAGE
    ):
        yield from page
        after = page[-1].id


def _lines(session: Session, export_id: ExportId) -> Iterator[ExportedLine]:
    after = 0
    while page := exports.lines(session, export_id, after=after, limit=_PAGE):
        yield from page
        after = page[-1].number
        session.expunge_all()


def _row(export: Export) -> dict[str, Any]:
    return {
        "id": export.id,
        "created_at": export.created_at,
        "collection": export.collection.slug,
        "account": export.account.name,
        "format": export.format,
        "profile": export.profile,
        "since": export.since,
        "state": export.state,
        "error": export.error,
        "texts_done": export.texts_done,
        "texts_total": export.texts_total,
        "destination": export.destination,
        "line_count": export.line_count,
        "withdrawn_count": export.withdrawn_count,
        "size": export.size,
        "sha256": export.sha256.hex() if export.sha256 else None,
        "written_at": export.written_at,
        "audit_head": export.audit_head.hex() if export.audit_head else None,
    }


def _line(exported: ExportedLine) -> dict[str, Any]:
    line = exported.line
    return {
        "number": exported.number,
        "object_number": exported.object_number,
        "item_id": line.item_id,
        "analysis_id": line.analysis_id,
        "revision_id": line.revision_id,
        "revision_sha256": line.revision_sha256.hex(),
        "review_id": line.review_id,
        "sha256": exported.sha256.hex(),
        "is_withdrawn": exported.is_withdrawn,
    }


def _say(row: dict[str, Any]) -> None:
    where = row["file"] or row["destination"]
    left = row["line_count"] - row["withdrawn_count"]
    out.print(Text(f"approved texts: {left:,}, in {where}"), soft_wrap=True)
    if row["since"] is not None:
        out.print(f"withdrawn, after they had left: {row['withdrawn_count']:,}", soft_wrap=True)
    for gate, count in row["kept_back"].items():
        out.print(f"approved and kept back: {count:,}, {_WHY[gate]}", soft_wrap=True)


def _show(row: dict[str, Any], *, json: bool) -> None:
    if json:
        print_json(row)
        return
    print_facts(row)


def _print_table(rows: Iterator[dict[str, Any]]) -> None:
    columns = ("id", "created_at", "collection", "format", "state", "line_count")
    table = Table("id", "at", "collection", "format", "state", "texts", box=None, pad_edge=False)
    table.columns[0].no_wrap = True
    for row in rows:
        row["created_at"] = f"{row['created_at']:%Y-%m-%d %H:%M}"
        table.add_row(*(Text(str(row[column])) for column in columns))
    out.print(table)
