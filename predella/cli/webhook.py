"""Webhooks: other systems that are told of what happens here."""

import sys
from typing import Annotated
from uuid import UUID

import typer
from rich.table import Table
from rich.text import Text

from predella import db
from predella.cli.output import acting, err, out, print_json
from predella.ids import CollectionId, WebhookDeliveryId, WebhookId
from predella.models import DeliveryState, EventType, Webhook, WebhookDelivery
from predella.services import collections, deliveries, webhooks
from predella.services.webhooks import Wish

app = typer.Typer(help="Other systems that are told of what happens here.")

_SCOPE = "accounts:write"
Id = Annotated[UUID, typer.Argument(help="The webhook's id, as `list` shows it.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


@app.command()
def add(
    url: Annotated[str, typer.Argument(help="https, and public.")],
    event: Annotated[
        list[EventType], typer.Option(help="What it is told of; may be given several times.")
    ],
    collection: Annotated[
        str | None, typer.Option(help="Only of this collection.", show_default="all")
    ] = None,
    description: Annotated[str, typer.Option(help="What it is for.")] = "",
    *,
    json: Json = False,
) -> None:
    """Have an address told of events; its secret is printed once, alone on stdout."""
    with db.transaction() as session:
        account = acting(session, _SCOPE).account
        within = CollectionId(collections.by_slug(session, collection).id) if collection else None
        wish = Wish(url, event, description, within)
        webhook, secret = webhooks.add(session, wish, account=account)
        row = _row(webhook)
    if json:
        print_json(row | {"secret": secret})
        return
    _print_secret(f"Webhook {row['id']} is ready.", secret)


@app.command("list")
def list_(*, json: Json = False) -> None:
    """Show every webhook."""
    with db.transaction() as session:
        acting(session, _SCOPE)
        rows = [_row(one) for one in webhooks.listed(session, limit=10_000)]
    _show(rows, ("id", "url", "event_types", "disabled_reason"), json=json)


@app.command()
def show(webhook_id: Id, *, json: Json = False) -> None:
    """Show one webhook."""
    with db.transaction() as session:
        acting(session, _SCOPE)
        row = _row(webhooks.get(session, WebhookId(webhook_id)))
    if json:
        print_json(row)
        return
    for name, value in row.items():
        out.print(Text(f"{name.replace('_', ' ')}: {_text(value)}"), soft_wrap=True)


@app.command()
def rotate(webhook_id: Id, *, json: Json = False) -> None:
    """Make a new secret, printed once; the one before it signs beside it for 24 hours."""
    with db.transaction() as session:
        acting(session, _SCOPE)
        secret = webhooks.rotate(session, webhooks.get(session, WebhookId(webhook_id)))
    if json:
        print_json({"id": webhook_id, "secret": secret})
        return
    _print_secret("The secret before this one signs for 24 hours more.", secret)


@app.command("test")
def send_test(webhook_id: Id, *, json: Json = False) -> None:
    """Send a message that says nothing, to see whether it arrives."""
    with db.transaction() as session:
        acting(session, _SCOPE)
        row = _delivery_row(webhooks.test(session, webhooks.get(session, WebhookId(webhook_id))))
    if json:
        print_json(row)
        return
    out.print(f"On its way: predella webhook deliveries {webhook_id}", soft_wrap=True)


@app.command("deliveries")
def deliveries_(
    webhook_id: Id,
    state: Annotated[DeliveryState | None, typer.Option(help="Only those.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    *,
    json: Json = False,
) -> None:
    """Show what was sent to a webhook in the last 30 days, the newest first."""
    with db.transaction() as session:
        acting(session, _SCOPE)
        webhook = webhooks.get(session, WebhookId(webhook_id))
        found = deliveries.listed(session, WebhookId(webhook.id), state=state, limit=limit)
        rows = [_delivery_row(one) for one in found]
    _show(rows, ("id", "event_type", "state", "attempt", "status_code", "error"), json=json)


@app.command()
def replay(
    webhook_id: Id,
    delivery_id: Annotated[UUID, typer.Argument(help="As `deliveries` shows it.")],
    *,
    json: Json = False,
) -> None:
    """Send a message again, under the same webhook-id."""
    with db.transaction() as session:
        acting(session, _SCOPE)
        row = _delivery_row(
            deliveries.replay(session, WebhookId(webhook_id), WebhookDeliveryId(delivery_id))
        )
    if json:
        print_json(row)
        return
    out.print("On its way again.")


@app.command()
def remove(webhook_id: Id, *, json: Json = False) -> None:
    """Tell a webhook of nothing any more; what was sent can still be looked up."""
    _switch(webhook_id, enabled=False, json=json)


@app.command()
def enable(webhook_id: Id, *, json: Json = False) -> None:
    """Tell a webhook of events again."""
    _switch(webhook_id, enabled=True, json=json)


def _switch(webhook_id: UUID, *, enabled: bool, json: bool) -> None:
    with db.transaction() as session:
        acting(session, _SCOPE)
        webhook = webhooks.held(session, WebhookId(webhook_id))
        row = _row(webhooks.switch(session, webhook, enabled=enabled))
    if json:
        print_json(row)
        return
    out.print(f"{webhook_id} is {'enabled' if enabled else 'disabled'}.", soft_wrap=True)


def _print_secret(sentence: str, secret: str) -> None:
    err.print(f"{sentence} Keep its secret: it is not shown again.", soft_wrap=True)
    sys.stdout.write(f"{secret}\n")


def _row(webhook: Webhook) -> dict[str, object]:
    names = (
        "id created_at url description event_types collection_id disabled_at disabled_reason"
        " failing_since"
    )
    return {name: getattr(webhook, name) for name in names.split()}


def _delivery_row(delivery: WebhookDelivery) -> dict[str, object]:
    names = "id created_at event_id state attempt next_attempt_at ended_at status_code error"
    row = {name: getattr(delivery, name) for name in names.split()}
    return row | {"event_type": delivery.event.type}


def _show(rows: list[dict[str, object]], columns: tuple[str, ...], *, json: bool) -> None:
    if json:
        print_json(rows)
        return
    table = Table(*(column.replace("_", " ") for column in columns))
    for row in rows:
        table.add_row(*(Text(_text(row[column])) for column in columns))
    out.print(table)


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(value)
    return "" if value is None else str(value)
