"""``predella collection``: what may be handed in to."""

import json as json_module
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from predella import db
from predella.cli.output import acting, out, print_facts, print_json, reaching
from predella.errors import InvalidError
from predella.ids import CollectionId
from predella.models import DEFAULT_PROMPT, Collection
from predella.services import collections, rules
from predella.services.rules import ReviewRules

app = typer.Typer(help="What museums own and we may read.", no_args_is_help=True)

_RULE, _THRESHOLD = "second_approver=true", "reused_in=20"

Slug = Annotated[str, typer.Argument(help="The collection's short name.")]
NumberPattern = Annotated[
    str | None,
    typer.Option(
        help="How file names tell object numbers: (?P<number>...); '' is no pattern.",
        show_default=False,
    ),
]
NumberField = Annotated[
    str | None,
    typer.Option(
        help="Metadata of the pictures that tells them first: dc:identifier; '' is none.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


InstitutionUri = Annotated[
    str | None,
    typer.Option(help="Where that body is described, as in Wikidata.", show_default=False),
]
TextRights = Annotated[
    str | None,
    typer.Option(
        help="Licence of the texts: its address at creativecommons.org or rightsstatements.org.",
        show_default=False,
    ),
]
ConceptUri = Annotated[
    str | None,
    typer.Option(help="Your own term for a formal analysis, for Linked Art.", show_default=False),
]


@app.command()
def add(
    slug: Annotated[str, typer.Argument(help="Its short name: a-z, 0-9 and -.")],
    *,
    bucket: Annotated[str, typer.Option(help="The bucket that its images lie in.")],
    name: Annotated[str, typer.Option(help="Its name in full.")],
    institution: Annotated[str, typer.Option(help="The legal body that answers for its texts.")],
    prefix: Annotated[str, typer.Option(help="The part of the bucket that it is.")] = "",
    language: Annotated[str, typer.Option(help="Of the texts, as a tag like en or pt-BR.")] = "en",
    credit_line: Annotated[
        str | None, typer.Option(help="Printed with objects that have none.", show_default=False)
    ] = None,
    institution_uri: InstitutionUri = None,
    text_rights: TextRights = None,
    concept_uri: ConceptUri = None,
    prompt: Annotated[
        str, typer.Option(help="What it asks about its pictures; see `predella prompt list`.")
    ] = DEFAULT_PROMPT,
    number_pattern: NumberPattern = None,
    number_field: NumberField = None,
    json: Json = False,
) -> None:
    """Open a collection."""
    with db.transaction() as session:
        acting(session, "collections:write")
        made = collections.create(
            session,
            slug=slug,
            name=name,
            institution=institution,
            bucket=bucket,
            prefix=prefix,
            language=language,
            credit_line=credit_line,
            institution_uri=institution_uri,
            text_rights=text_rights,
            concept_uri=concept_uri,
            prompt=prompt,
            number_pattern=number_pattern,
            number_field=number_field,
        )
        row = _row(made)
    if json:
        print_json(row)
    else:
        out.print(f"{slug} is open. Hand in to it: predella submit SOURCE --collection {slug}")


@app.command()
def change(
    slug: Slug,
    *,
    name: Annotated[str | None, typer.Option(help="Its name in full.", show_default=False)] = None,
    institution: Annotated[
        str | None,
        typer.Option(help="The legal body that answers for its texts.", show_default=False),
    ] = None,
    institution_uri: InstitutionUri = None,
    language: Annotated[
        str | None,
        typer.Option(help="Of texts that are asked for from now on.", show_default=False),
    ] = None,
    credit_line: Annotated[
        str | None, typer.Option(help="Printed with objects that have none.", show_default=False)
    ] = None,
    text_rights: TextRights = None,
    concept_uri: ConceptUri = None,
    number_pattern: NumberPattern = None,
    number_field: NumberField = None,
    json: Json = False,
) -> None:
    """Change what exports say of a collection, and where hand-ins take object numbers from.

    What is not named stays, "" takes away.
    """
    said = {
        "name": name,
        "institution": institution,
        "institution_uri": institution_uri,
        "language": language,
        "credit_line": credit_line,
        "text_rights": text_rights,
        "concept_uri": concept_uri,
    }
    with db.transaction() as session:
        acting(session, "collections:write", slug=slug)
        collection = collections.by_slug(session, slug)
        told = {fact: value for fact, value in said.items() if value is not None}
        collections.change(session, collection, told)
        collections.choose_numbering(
            session, collection, pattern=number_pattern, field=number_field
        )
        row = _row(collection)
    if json:
        print_json(row)
    else:
        print_facts(row)


@app.command("rules")
def rules_(
    slug: Slug,
    *,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="NAME=true or NAME=false; repeat it.", show_default=False),
    ] = None,
    json: Json = False,
) -> None:
    """Show how texts are decided on and who may harvest them; or choose some of it."""
    chosen = dict(_named(one, _RULE) for one in set_ or ())
    with db.transaction() as session:
        acting(session, "collections:write" if chosen else "collections:read", slug=slug)
        collection = collections.by_slug(session, slug)
        if chosen:
            locked = collections.get(session, CollectionId(collection.id), lock=True)
            rules.change(session, locked, chosen)
        row = rules.of(collection).model_dump()
    if json:
        print_json(row)
        return
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, field in ReviewRules.model_fields.items():
        table.add_row(name, "yes" if row[name] else "no", Text(field.description or ""))
    out.print(table)


@app.command("prompt")
def choose_prompt(
    slug: Slug,
    prompt: Annotated[str, typer.Argument(help="NAME/VERSION, or NAME for its newest version.")],
    *,
    json: Json = False,
) -> None:
    """Choose what a collection asks about the pictures that are handed in from now on."""
    with db.transaction() as session:
        acting(session, "collections:write", slug=slug)
        collection = collections.by_slug(session, slug)
        collections.choose_prompt(session, collection, prompt)
        row = _row(collection)
    if json:
        print_json(row)
    else:
        out.print(f"{slug} asks {row['prompt_id']} from now on. Handed in again, its pictures are")
        out.print("asked anew; what was handed in before keeps its question.")


@app.command("thresholds")
def thresholds(
    slug: Slug,
    *,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="NAME=JSON, such as reused_in=20.", show_default=False),
    ] = None,
    usual: Annotated[
        list[str] | None,
        typer.Option(help="NAME: as usual again.", show_default=False),
    ] = None,
) -> None:
    """Show, as JSON, from where on the checks speak in a collection; or choose it."""
    chosen = dict(_named(one, _THRESHOLD) for one in set_ or ())
    with db.transaction() as session:
        scope = "collections:write" if chosen or usual else "collections:read"
        acting(session, scope, slug=slug)
        collection = collections.by_slug(session, slug)
        if chosen or usual:
            kept = {
                name: value
                for name, value in collection.thresholds.items()
                if name not in (usual or ())
            }
            collections.choose_thresholds(session, collection, kept | chosen)
        row = collections.thresholds_of(collection).model_dump(mode="json")
    print_json(row)


@app.command("list")
def list_(*, json: Json = False) -> None:
    """Show every collection."""
    with db.transaction() as session:
        reach = reaching(session, "collections:read").reach("collections:read")
        rows = [_row(each) for each in collections.listed(session, within=reach, limit=10_000)]
    if json:
        print_json(rows)
        return
    table = Table("slug", "name", "institution", "lies in", "language", "asks")
    for row in rows:
        place = f"s3://{row['bucket']}/{row['prefix']}"
        cells = (
            row["slug"],
            row["name"],
            row["institution"],
            place,
            row["language"],
            row["prompt_id"],
        )
        table.add_row(*(Text(str(cell)) for cell in cells))
    out.print(table)


def _named(said: str, example: str) -> tuple[str, Any]:
    name, equals, value = said.partition("=")
    try:
        return name, json_module.loads(value if equals else "")
    except ValueError as error:
        raise InvalidError(f"write --set as NAME=JSON, like {example}, not {said!r}") from error


def _row(collection: Collection) -> dict[str, object]:
    return {
        "id": collection.id,
        "slug": collection.slug,
        "name": collection.name,
        "institution": collection.institution,
        "institution_uri": collection.institution_uri,
        "bucket": collection.bucket,
        "prefix": collection.prefix,
        "language": collection.language,
        "credit_line": collection.credit_line,
        "text_rights": collection.text_rights,
        "concept_uri": collection.concept_uri,
        "prompt_id": collection.prompt_id,
        "number_pattern": collection.number_pattern,
        "number_field": collection.number_field,
    }
