"""``predella prompt``: what models are asked about pictures."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from predella import db
from predella.cli.output import acting, out, print_json, reaching
from predella.errors import InvalidError
from predella.models import Prompt, PromptKind
from predella.services import prompts
from predella.services.prompts import Section

app = typer.Typer(help="What models are asked about pictures.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


@app.command("list")
def list_(*, json: Json = False) -> None:
    """Show every version of every prompt."""
    with db.transaction() as session:
        reaching(session, "collections:read")
        rows = prompts.listed(session)
        document = [_row(each) for each in rows]
        cells = [(each.id, each.kind, _asks(each)) for each in rows]
    if json:
        print_json(document)
        return
    table = Table("prompt", "kind", "asks", box=None, pad_edge=False)
    for row in cells:
        table.add_row(*map(Text, row))
    out.print(table)


@app.command()
def show(
    prompt: Annotated[str, typer.Argument(help="NAME/VERSION, or NAME for its newest version.")],
    *,
    json: Json = False,
) -> None:
    """Show one prompt word for word."""
    with db.transaction() as session:
        reaching(session, "collections:read")
        found = prompts.find(session, prompt)
        row = _row(found)
        asked = [(heading, one.text) for heading, one in prompts.questions(session, found)]
    if json:
        print_json(row)
        return
    out.print(Text(f"{row['id']} ({row['kind']})"))
    for heading, words in asked:
        out.print(Text(f"{heading}: {words}" if heading else str(words)))


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="a-z, 0-9 and -; a known one gets a new version.")],
    *,
    kind: Annotated[PromptKind, typer.Option(help="The kind of text that it asks for.")],
    text: Annotated[
        str | None, typer.Option(help="The question, in words.", show_default=False)
    ] = None,
    file: Annotated[
        Path | None, typer.Option(help="Or a file with the question.", show_default=False)
    ] = None,
    section: Annotated[
        list[str] | None,
        typer.Option(help="Or HEADING=PROMPT, once for each section.", show_default=False),
    ] = None,
    json: Json = False,
) -> None:
    """Add a prompt, or a new version of one. What is there never changes."""
    words = _read(file) if file else text
    sections = [_section(each) for each in section or ()]
    with db.transaction() as session:
        acting(session, "collections:write")
        row = _row(prompts.add(session, name, kind=kind, text=words, sections=sections))
    if json:
        print_json(row)
    else:
        out.print(f"{row['id']} is there. Use it: predella collection prompt SLUG {row['id']}")


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidError(f"{file} cannot be read as UTF-8 text: {error}") from error


def _section(said: str) -> Section:
    heading, equals, prompt = said.rpartition("=")
    if not equals:
        raise InvalidError(f"write --section as HEADING=PROMPT, like 'Line=line/1', not {said!r}")
    return heading.strip(), prompt.strip()


def _row(prompt: Prompt) -> dict[str, object]:
    return {
        "id": prompt.id,
        "created_at": prompt.created_at,
        "name": prompt.name,
        "version": prompt.version,
        "kind": prompt.kind,
        "text": prompt.text,
        "sections": prompt.sections,
    }


def _asks(prompt: Prompt) -> str:
    return prompt.text or ", ".join(part["prompt_id"] for part in prompt.sections or ())
