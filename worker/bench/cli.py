"""``predella-model bench``: one command for each thing that is measured."""

import typer

app = typer.Typer(help="Measure this machine: a table, and JSON on demand.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep the name of a command even while it is the only one."""
