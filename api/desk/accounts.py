"""Accounts: who may do what, and their keys to the API. For admins."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from api.dependencies import Administrator, DbSession
from api.desk.listing import LIMIT, After, listed
from api.desk.rendering import page
from predella.ids import AccountId, TokenId
from predella.models import Role
from predella.services import accounts

router = APIRouter(prefix="/desk/accounts")


@router.get("")
def accounts_page(
    request: Request, session: DbSession, administrator: Administrator, after: After = None
) -> Response:
    """Show the accounts, the oldest first."""
    found = accounts.listed(session, after=after, limit=LIMIT)
    return page(
        request,
        "accounts.html",
        principal=administrator,
        accounts=listed(found, lambda one: one.id),
        roles=list(Role),
    )


@router.post("")
def open_one(
    session: DbSession,
    _administrator: Administrator,
    name: Annotated[str, Form(max_length=100)],
    display_name: Annotated[str, Form(max_length=200)],
    roles: Annotated[list[str], Form(default_factory=list)],
) -> Response:
    """Open an account, and lead to it."""
    made = accounts.add(session, name=name.strip(), display_name=display_name, roles=roles)
    return RedirectResponse(f"/desk/accounts/{made.id}", HTTPStatus.SEE_OTHER)


@router.get("/{account_id}")
def account_page(
    request: Request, session: DbSession, administrator: Administrator, account_id: AccountId
) -> Response:
    """Show one account with its roles and its tokens."""
    account = accounts.get(session, account_id)
    return page(
        request,
        "account.html",
        principal=administrator,
        account=account,
        tokens=accounts.tokens(session, account),
        secret=None,
    )


@router.post("/{account_id}/disabling")
def disable(session: DbSession, _administrator: Administrator, account_id: AccountId) -> Response:
    """Close an account for good."""
    accounts.disable(session, accounts.get(session, account_id))
    return RedirectResponse(f"/desk/accounts/{account_id}", HTTPStatus.SEE_OTHER)


@router.post("/{account_id}/tokens")
def make_token(
    request: Request,
    session: DbSession,
    administrator: Administrator,
    account_id: AccountId,
    name: Annotated[str, Form(max_length=200)],
) -> Response:
    """Make a token and show its secret: in this answer, and in no other."""
    account = accounts.get(session, account_id)
    _, secret = accounts.issue_token(session, account, name=name)
    return page(
        request,
        "account.html",
        principal=administrator,
        status=HTTPStatus.CREATED,
        account=account,
        tokens=accounts.tokens(session, account),
        secret=secret,
    )


@router.post("/{account_id}/tokens/{token_id}/revocation")
def revoke(
    session: DbSession, _administrator: Administrator, account_id: AccountId, token_id: TokenId
) -> Response:
    """Make a token useless from now on."""
    accounts.revoke_token(session, token_id)
    return RedirectResponse(f"/desk/accounts/{account_id}", HTTPStatus.SEE_OTHER)
