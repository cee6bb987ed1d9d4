"""The ``predella`` command."""

import typer

from predella import logs
from predella.cli import (
    account,
    audit,
    check,
    collection,
    control,
    demo,
    export,
    glossary,
    lot,
    migrate,
    objects,
    prompt,
    requeue,
    review,
    status,
    submission,
    submit,
    sweep,
    up,
    webhook,
)
from predella.cli.output import plain_errors
from predella.settings import get_settings

app = typer.Typer(
    name="predella",
    help="Formal analyses of paintings for whole museum collections.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("up")(up.up)
app.command("down")(up.down)
app.command("demo")(demo.demo)
app.command("migrate")(migrate.migrate)
app.add_typer(collection.app, name="collection")
app.add_typer(prompt.app, name="prompt")
app.add_typer(objects.app, name="object")
app.command("submit")(submit.submit)
app.add_typer(submission.app, name="submission")
app.command("status")(status.status)
app.command("requeue")(requeue.requeue)
app.add_typer(review.app, name="review")
app.add_typer(check.app, name="check")
app.add_typer(lot.app, name="lot")
app.add_typer(control.app, name="control")
app.add_typer(glossary.app, name="glossary")
app.add_typer(export.app, name="export")
app.add_typer(account.app, name="account")
app.add_typer(audit.app, name="audit")
app.add_typer(webhook.app, name="webhook")
app.command("sweep")(sweep.sweep)


def main() -> None:
    """Run one command; our own errors end in one line and an exit code."""
    quiet = {"log_format": "console", "log_level": "warning"}
    logs.configure(get_settings().model_copy(update=quiet))
    with plain_errors():
        app()
