"""Accounts and tokens, from the machine that reaches the database.

No token is asked for: whoever holds the database's address is the operator, and the first
account has to come from somewhere.
"""

import sys
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.table import Table
from rich.text import Text
from sqlalchemy.orm import Session

from predella import clock, db
from predella.cli.output import err, out, print_json
from predella.errors import InvalidError
from predella.ids import AccountId, TokenId
from predella.models import Account, Role, Token
from predella.services import accounts, collections, identities, memberships, passwords, sessions
from predella.settings import get_settings

app = typer.Typer(help="People and systems, what they may do, and their tokens.")

Name = Annotated[str, typer.Argument(help="What the account signs in with.")]
Given = Annotated[
    list[Role], typer.Option("--role", help="What they may do; may be given several times.")
]
InCollection = Annotated[
    str | None,
    typer.Option(
        "--collection", help="A collection's slug; without it, in every one.", show_default=False
    ),
]
Issuer = Annotated[
    str | None,
    typer.Option(help="The OpenID provider; without it the one in PREDELLA_OIDC_ISSUER."),
]
Subject = Annotated[
    str,
    typer.Option(help="What it calls the person for ever: its claim `sub`.", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


@app.command()
def add(
    name: Name,
    display_name: Annotated[
        str, typer.Option("--name", help="The name under an approved text.", show_default=False)
    ],
    role: Annotated[
        list[Role] | None,
        typer.Option(help="What they do in every collection; may be given several times."),
    ] = None,
    *,
    json: Json = False,
) -> None:
    """Open an account."""
    with db.transaction() as session:
        account = _account_row(
            accounts.add(session, name=name, display_name=display_name, roles=role or ())
        )
    if json:
        print_json(account)
    else:
        out.print(f"{name} is ready. A token for it: predella account token {name}")


@app.command()
def grant(name: Name, role: Given, collection: InCollection = None, *, json: Json = False) -> None:
    """Give an account roles, in every collection or in one, beside those that it has."""
    with db.transaction() as session:
        account = _held(session, name)
        _choose(session, account, {*_roles(session, account, collection), *role}, collection)
        row = _whole_row(session, account)
    _tell(row, json=json)


@app.command()
def ungrant(
    name: Name,
    role: Annotated[
        list[Role] | None, typer.Option(help="Only this one; without it, all that it has there.")
    ] = None,
    collection: InCollection = None,
    *,
    json: Json = False,
) -> None:
    """Take roles away from an account, in every collection or in one."""
    with db.transaction() as session:
        account = _held(session, name)
        had = _roles(session, account, collection)
        _choose(session, account, had - set(role or had), collection)
        row = _whole_row(session, account)
    _tell(row, json=json)


@app.command()
def show(name: Name, *, json: Json = False) -> None:
    """Show one account, and its roles in every collection and in single ones."""
    with db.transaction() as session:
        row = _whole_row(session, accounts.by_name(session, name))
    _tell(row, json=json)


@app.command("list")
def list_(*, json: Json = False) -> None:
    """Show every account."""
    with db.transaction() as session:
        rows = [_account_row(account) for account in accounts.listed(session, limit=10_000)]
    _show(rows, ("name", "display_name", "roles", "disabled_at"), json=json)


@app.command()
def disable(name: Name) -> None:
    """Close an account for good; none of its tokens opens anything any more."""
    with db.transaction() as session:
        accounts.disable(session, accounts.by_name(session, name))
    out.print(f"{name} is disabled.")


@app.command()
def password(name: Name) -> None:
    """Choose the password of an account; it is asked for, or read from a pipe.

    Whoever is signed in under this name is signed out.
    """
    if sys.stdin.isatty():
        chosen = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        chosen = sys.stdin.readline().rstrip("\r\n")
    with db.transaction() as session:
        account = accounts.by_name(session, name)
        passwords.choose(session, account, chosen)
        sessions.end_all(session, account)
    out.print(f"{name} signs in with this password from now on.")


@app.command("sign-in-link")
def sign_in_link(name: Name) -> None:
    """Print an address that signs an account in, once, within 15 minutes."""
    with db.transaction() as session:
        address = link(session, accounts.by_name(session, name), desk=get_settings().desk_url)
    out.print(address, soft_wrap=True, highlight=False)


def link(session: Session, account: Account, *, desk: str) -> str:
    """Return an address of this desk that signs the account in, once."""
    return f"{desk}/sign-in/once/{sessions.make_link(session, account)}"


@app.command()
def token(
    name: Name,
    scope: Annotated[
        list[str] | None,
        typer.Option(help="Only this of what the roles allow; may be given several times."),
    ] = None,
    expires: Annotated[
        int | None, typer.Option(min=1, max=3650, help="Days until it expires.")
    ] = None,
    label: Annotated[str, typer.Option(help="What it is for.")] = "command line",
) -> None:
    """Make a token; it is printed once, alone on stdout."""
    with db.transaction() as session:
        made, secret = accounts.issue_token(
            session,
            accounts.by_name(session, name),
            name=label,
            scopes=scope,
            expires_at=clock.now() + timedelta(days=expires) if expires else None,
        )
        scopes = ", ".join(made.scopes)
    err.print(f"A token of {name} for {scopes}. Keep it: it is not shown again.", soft_wrap=True)
    sys.stdout.write(f"{secret}\n")


@app.command()
def tokens(name: Name, *, json: Json = False) -> None:
    """Show an account's tokens, without their secrets."""
    with db.transaction() as session:
        account = accounts.by_name(session, name)
        rows = [_token_row(made) for made in accounts.tokens(session, account, limit=10_000)]
    _show(rows, ("id", "name", "scopes", "expires_at", "last_used_at", "revoked_at"), json=json)


@app.command()
def revoke(
    token_id: Annotated[UUID, typer.Argument(help="The token's id, as `tokens` shows it.")],
) -> None:
    """Make a token useless from now on."""
    with db.transaction() as session:
        accounts.revoke_token(session, TokenId(token_id))
    out.print(f"{token_id} is revoked.")


def _held(session: Session, name: str) -> Account:
    """Return an account that nobody else changes meanwhile."""
    account = accounts.by_name(session, name)
    return accounts.get(session, AccountId(account.id), lock=True)


def _roles(session: Session, account: Account, slug: str | None) -> set[str]:
    if slug is None:
        return set(account.roles)
    within = collections.by_slug(session, slug)
    here = [one for one in memberships.of(session, account) if one.collection_id == within.id]
    return {role for one in here for role in one.roles}


def _choose(session: Session, account: Account, roles: set[str], slug: str | None) -> None:
    if slug is None:
        accounts.change_roles(session, account, roles)
    else:
        memberships.change(session, account, collections.by_slug(session, slug), roles)


def _whole_row(session: Session, account: Account) -> dict[str, object]:
    found = memberships.of(session, account)
    return _account_row(account) | {
        "memberships": [{"collection": one.collection.slug, "roles": one.roles} for one in found]
    }


def _tell(row: Mapping[str, Any], *, json: bool) -> None:
    if json:
        print_json(row)
        return
    out.print(Text(f"{row['name']}: {row['display_name']}"))
    everywhere = ", ".join(row["roles"]) or "no role"
    out.print(Text(f"in every collection: {everywhere}"), soft_wrap=True)
    for one in row["memberships"]:
        roles = ", ".join(one["roles"])
        out.print(Text(f"in {one['collection']}: {roles}"), soft_wrap=True)
    if row["disabled_at"]:
        out.print(f"disabled since {row['disabled_at']:%Y-%m-%d}", highlight=False)


@app.command("link")
def link_identity(name: Name, subject: Subject, issuer: Issuer = None) -> None:
    """Let somebody for whom an OpenID provider vouches sign in to an account.

    From their next sign-in on the account has the roles that their groups give.
    """
    with db.transaction() as session:
        account = accounts.by_name(session, name)
        identities.link(session, account, issuer=_issuer(issuer), subject=subject)
    out.print(f"{name} is linked.")


@app.command("unlink")
def unlink_identity(name: Name, subject: Subject, issuer: Issuer = None) -> None:
    """Let them in no longer, and sign the account out everywhere."""
    with db.transaction() as session:
        account = accounts.by_name(session, name)
        identities.unlink(session, account, issuer=_issuer(issuer), subject=subject)
    out.print(f"{name} is not linked to them any more.")


@app.command("identities")
def list_identities(name: Name, *, json: Json = False) -> None:
    """Show who signs in to an account through an OpenID provider."""
    with db.transaction() as session:
        rows: list[dict[str, object]] = [
            {"issuer": one.issuer, "subject": one.subject, "created_at": one.created_at}
            for one in identities.listed(session, accounts.by_name(session, name))
        ]
    _show(rows, ("issuer", "subject", "created_at"), json=json)


def _issuer(named: str | None) -> str:
    issuer = named or get_settings().oidc_issuer
    if issuer is None:
        raise InvalidError("name the provider with --issuer, or set PREDELLA_OIDC_ISSUER")
    return issuer


def _account_row(account: Account) -> dict[str, object]:
    return {
        "id": account.id,
        "name": account.name,
        "display_name": account.display_name,
        "roles": account.roles,
        "created_at": account.created_at,
        "disabled_at": account.disabled_at,
    }


def _token_row(token: Token) -> dict[str, object]:
    return {
        "id": token.id,
        "name": token.name,
        "scopes": token.scopes,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "last_used_at": token.last_used_at,
        "revoked_at": token.revoked_at,
    }


def _show(rows: list[dict[str, object]], columns: tuple[str, ...], *, json: bool) -> None:
    if json:
        print_json(rows)
        return
    table = Table(*(column.replace("_", " ") for column in columns))
    for row in rows:
        table.add_row(*(_cell(row, column) for column in columns))
    out.print(table)


def _cell(row: Mapping[str, object], column: str) -> Text:
    """Return a cell as it is: brackets in a name are no markup."""
    value = row[column]
    if isinstance(value, list):
        return Text(", ".join(value))
    return Text("" if value is None else str(value))
