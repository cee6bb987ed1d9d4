"""``predella glossary``: the terms that texts of a collection should not use."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from predella import db
from predella.cli.output import acting, out, print_json
from predella.errors import InvalidError
from predella.formats import glossary
from predella.formats.glossary import Labels
from predella.ids import CollectionId
from predella.models import Glossary
from predella.services import collections, glossaries

app = typer.Typer(help="Terms that texts should not use.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
InCollection = Annotated[str, typer.Option("--collection", help="A collection's slug.")]
Name = Annotated[str, typer.Option(help="Of the list: a-z, 0-9 and -.")]


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A .csv, or SKOS as .ttl, .rdf or .xml.")],
    *,
    collection: InCollection,
    name: Name = "house",
    labels: Annotated[
        Labels,
        typer.Option(help="Which labels of SKOS to avoid; all, for a list of contentious terms."),
    ] = "alternative",
    json: Json = False,
) -> None:
    """Have the checks tell these terms; the list of this name is replaced."""
    entries = glossary.read(_bytes(file), file.name, labels=labels)
    with db.transaction() as session:
        account = acting(session, "collections:write", slug=collection).account
        within = collections.by_slug(session, collection)
        row = _row(glossaries.keep(session, within, name=name, entries=entries, account=account))
    if json:
        print_json(row)
        return
    out.print(f"{row['name']} has {row['terms']:,} terms; new texts are checked for them.")
    out.print(f"Check those that are there: predella check run --collection {collection}")


@app.command()
def drop(*, collection: InCollection, name: Name = "house", json: Json = False) -> None:
    """Have the checks forget a list."""
    with db.transaction() as session:
        account = acting(session, "collections:write", slug=collection).account
        within = collections.by_slug(session, collection)
        row = _row(glossaries.keep(session, within, name=name, entries=(), account=account))
    if json:
        print_json(row)
    else:
        out.print(f"{row['name']} has no terms any more.")


@app.command("list")
def list_(*, collection: InCollection, json: Json = False) -> None:
    """Show the lists of a collection."""
    with db.transaction() as session:
        acting(session, "collections:read", slug=collection)
        within = CollectionId(collections.by_slug(session, collection).id)
        rows = [_row(each) for each in glossaries.listed(session, within)]
    if json:
        print_json(rows)
        return
    table = Table("list", "version", "terms", box=None, pad_edge=False)
    for row in rows:
        table.add_row(Text(str(row["name"])), str(row["version"]), f"{row['terms']:,}")
    out.print(table)


def _bytes(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(glossary.MAX_BYTES + 1)
    except OSError as error:
        raise InvalidError(f"cannot read {str(file)!r}: {error.strerror}") from error


def _row(kept: Glossary) -> dict[str, object]:
    return {"name": kept.name, "version": kept.version, "terms": kept.term_count}
