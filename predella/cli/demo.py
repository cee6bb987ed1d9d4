"""``predella demo``: everything on this machine, with a collection to look at."""

import importlib.util
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from textwrap import shorten
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from predella import db, storage
from predella.cli import account as account_commands
from predella.cli import export, submit
from predella.cli.output import out
from predella.cli.stack import Stack
from predella.cli.up import say
from predella.embedded.env import read_env, write_env
from predella.embedded.errors import NotInstalledError
from predella.errors import NotFoundError
from predella.ids import CollectionId
from predella.models import Account, Client, Collection, ExportFormat, ReviewState, Role
from predella.services import accounts, analyses, collections, reviews
from predella.services.analyses import AnalysisView
from predella.settings import get_settings

_SLUG = "demo"
_BUCKET = "demo-museum"
_APPROVED = 5
_SHOWN = 240
"""Characters of a text in the table; `predella review show` has the whole."""


def demo(
    *,
    once: Annotated[bool, typer.Option("--once", help="Approve, export, and end.")] = False,
) -> None:
    """Start everything on this machine with a sample collection, and show what becomes of it."""
    home = get_settings().home.absolute()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    chosen = {
        "PREDELLA_MODEL_DIR": str(get_settings().model_dir or _demo_model()),
        "PREDELLA_SOURCE_BUCKETS": json.dumps([_BUCKET]),
    }
    with Stack(home, report=say, extra=chosen) as stack:
        stack.start_services()
        collection, account = _make_ready(home / "env")
        stack.start_apps()
        samples = _made(home / "samples", "worker.samples")
        submit.hand_in(samples, collection, account=account, wait=True)
        out.print(_table(_views(collection)))
        if once:
            _approve(collection, account)
            _export(home / "exports")
            return
        _say_what_next(stack, account)
        stack.wait()


def _demo_model() -> Path:
    """Return the checkpoint that comes with the worker, without importing any of it."""
    worker = importlib.util.find_spec("worker")
    if worker is None or worker.origin is None:
        raise NotInstalledError("the demo needs the worker: install predella[worker]")
    return Path(worker.origin).parent / "demo_model"


def _made(folder: Path, module: str) -> Path:
    """Return a folder that one of the worker's programs has filled, now or earlier."""
    if not folder.exists():
        say(f"making {folder.name} ...")
        unfinished = folder.with_name(f"{folder.name}.unfinished")
        subprocess.run([sys.executable, "-m", module, str(unfinished)], check=True)
        unfinished.rename(folder)
    return folder


def _make_ready(env: Path) -> tuple[Collection, Account]:
    """Return the sample collection and an account that may do everything with it."""
    storage.store().make_bucket(_BUCKET)
    with db.transaction() as session:
        try:
            collection = collections.by_slug(session, _SLUG)
            account = accounts.by_name(session, _SLUG)
        except NotFoundError:
            collection = collections.create(
                session,
                slug=_SLUG,
                name="Sample collection",
                institution="Museum of Sample Pictures",
                bucket=_BUCKET,
                prefix="",
            )
            account = accounts.add(session, name=_SLUG, display_name="Demo curator", roles=[*Role])
            _, token = accounts.issue_token(session, account, name="demo")
            write_env(env, {**read_env(env), "PREDELLA_TOKEN": token})
            get_settings.cache_clear()
        session.expunge_all()
    return collection, account


def _views(collection: Collection, state: ReviewState | None = None) -> Sequence[AnalysisView]:
    with db.transaction() as session:
        views = analyses.listed(
            session, within={CollectionId(collection.id)}, state=state, limit=200
        )
        session.expunge_all()
    return views


def _table(views: Sequence[AnalysisView]) -> Table:
    notices = {view.release.notice for view in views if view.release.notice}
    table = Table(title="\n".join(notices) or None, title_style="bold", show_lines=True)
    table.add_column("object", no_wrap=True)
    table.add_column("what the model wrote", ratio=1)
    table.add_column("state", no_wrap=True)
    for view in views:
        numbers = ", ".join(item.object_number for item in view.items)
        text = shorten(view.revision.text, _SHOWN, placeholder=" ...")
        table.add_row(Text(numbers), Text(text), view.state.replace("_", " "))
    return table


def _approve(collection: Collection, account: Account) -> None:
    approved = len(_views(collection, ReviewState.APPROVED))
    waiting = _views(collection, ReviewState.NEEDS_REVIEW)
    open_ones = [view for view in waiting if not view.is_held][: max(0, _APPROVED - approved)]
    with db.transaction() as session:
        for view in open_ones:
            reviews.approve(
                session,
                view.id,
                revision_number=view.revision.number,
                account=account,
                client=Client.CLI,
                note="approved by the demo; nobody read it",
            )
    say(f"{approved + len(open_ones)} texts are approved")


def _export(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for wanted, name in ((ExportFormat.LIDO, "demo.xml"), (ExportFormat.CSV, "demo.csv")):
        export.write(_SLUG, wanted=wanted, to=str(folder / name))


def _say_what_next(stack: Stack, account: Account) -> None:
    address, desk = stack.address, stack.settings.desk_url
    with db.transaction() as session:
        link = account_commands.link(session, account, desk=desk)
    out.print(
        f"\n[bold]The desk, signed in as {account.display_name}[/] (this link works once):\n"
        f"    {link}\n"
        "Another link: predella account sign-in-link " + account.name,
        highlight=False,
        soft_wrap=True,
    )
    out.print(
        f"\n[bold]predella runs at {address}[/]  (the API: {address}/v1; Ctrl-C stops everything)\n"
        "In another terminal, in this folder:\n"
        "    . .venv/bin/activate\n"
        "    predella review next\n"
        f"    predella export {_SLUG} --format lido --out {_SLUG}.xml",
        highlight=False,
    )
