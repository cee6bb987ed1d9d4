"""How every command speaks: tables for people, JSON for programs, exit codes for both."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from enum import IntEnum
from typing import Any, NoReturn
from uuid import UUID

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from predella import errors
from predella.services import accounts, places
from predella.services.accounts import Principal
from predella.settings import get_settings

out = Console()
"""For what was asked for."""
err = Console(stderr=True)
"""For progress, warnings and errors: stdout stays clean for programs."""


class Exit(IntEnum):
    """What a shell script may rely on."""

    OK = 0
    FAILURE = 1
    USAGE = 2
    PARTIAL = 3
    """It worked, but some items failed or were refused."""
    AUTH = 4
    CONFLICT = 5
    TIMED_OUT = 6
    INTERRUPTED = 130


_CODES: dict[type[errors.PredellaError], Exit] = {
    errors.AuthenticationError: Exit.AUTH,
    errors.PermissionDeniedError: Exit.AUTH,
    errors.ConflictError: Exit.CONFLICT,
    errors.InvalidError: Exit.USAGE,
}


def fail(message: str, code: Exit = Exit.FAILURE) -> NoReturn:
    """Say what is wrong and leave."""
    err.print(f"[bold red]predella:[/] {escape(message)}", highlight=False, soft_wrap=True)
    raise SystemExit(code)


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turn our errors, and a database that is away, into one line and an exit code."""
    try:
        yield
    except errors.PredellaError as error:
        fail(str(error), _code(error))
    except OperationalError as error:
        reason = str(error.orig).splitlines()[0]
        fail(f"the database does not answer ({reason}); is `predella up` running?")
    except KeyboardInterrupt:
        fail("interrupted", Exit.INTERRUPTED)


def _code(error: errors.PredellaError) -> Exit:
    return next((code for kind, code in _CODES.items() if isinstance(error, kind)), Exit.FAILURE)


def print_json(document: Mapping[str, Any] | list[Any]) -> None:
    """Write one JSON document to stdout."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2, default=str) + "\n")


def print_facts(row: Mapping[str, object]) -> None:
    """Show what is known of one thing, a line for each fact."""
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, value in row.items():
        table.add_row(name.replace("_", " "), Text("" if value is None else str(value)))
    out.print(table)


def print_json_lines(rows: Iterable[Mapping[str, Any]]) -> None:
    """Write one JSON object a line to stdout, as they come."""
    for row in rows:
        sys.stdout.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")


def acting(session: Session, scope: str, **things: UUID | str) -> Principal:
    """Return who runs this command, by ``PREDELLA_TOKEN``, if they may do this.

    They may where these things lie, named as in `places`; without any, in the whole house.

    Raises:
        AuthenticationError: no token, or not a valid one.
        PermissionDeniedError: its account may not.
        NotFoundError: there is no such thing, as far as they may know.
    """
    principal = _authenticated(session)
    if things:
        places.require(session, principal, scope, **things)
    else:
        principal.require(scope)
    return principal


def reaching(session: Session, scope: str, **things: UUID | str | None) -> Principal:
    """Return who runs this command, if they may do this anywhere, and where these things lie.

    The command keeps to their `reach`.

    Raises:
        AuthenticationError: no token, or not a valid one.
        PermissionDeniedError: its account may not.
        NotFoundError: there is no such thing, as far as they may know.
    """
    principal = _authenticated(session)
    principal.require_somewhere(scope)
    named = {name: value for name, value in things.items() if value is not None}
    places.require(session, principal, scope, **named)
    return principal


def _authenticated(session: Session) -> Principal:
    token = get_settings().token
    if token is None:
        raise errors.AuthenticationError(
            "set PREDELLA_TOKEN to your token; `predella account token NAME` makes one"
        )
    return accounts.authenticate(session, token.get_secret_value())
