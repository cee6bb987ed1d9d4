"""Accounts: who may do what, and their keys to the API. For admins."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from api.dependencies import Administrator, DbSession
from api.desk.listing import LIMIT, After, listed
from api.desk.rendering import page
from api.preconditions import SeenOnPage, require_etag
from api.schemas.accounts import AccountOut
from predella.ids import AccountId, CollectionId, TokenId
from predella.models import Account, Role
from predella.services import accounts, collections, memberships
from predella.services.accounts import Principal

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
    request: Request,
    session: DbSession,
    administrator: Administrator,
    account_id: AccountId,
    *,
    kept: bool = False,
) -> Response:
    """Show one account with its roles and its tokens."""
    return _shown(request, session, administrator, accounts.get(session, account_id), kept=kept)


@router.post("/{account_id}/roles")
def change_roles(
    session: DbSession,
    _administrator: Administrator,
    account_id: AccountId,
    roles: Annotated[list[str], Form(default_factory=list)],
    seen: SeenOnPage,
) -> Response:
    """Choose all the roles that an account has in every collection."""
    account = accounts.get(session, account_id, lock=True)
    current = AccountOut.model_validate(account)
    require_etag([seen], current.etag, current)
    accounts.change_roles(session, account, roles)
    return _back(account_id)


@router.post("/{account_id}/memberships")
def change_membership(
    session: DbSession,
    _administrator: Administrator,
    account_id: AccountId,
    collection_id: Annotated[CollectionId, Form()],
    roles: Annotated[list[str], Form(default_factory=list)],
) -> Response:
    """Choose all the roles that an account has in one collection alone; none takes them away."""
    account, within = accounts.get(session, account_id), collections.get(session, collection_id)
    memberships.change(session, account, within, roles)
    return _back(account_id)


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
    return _shown(request, session, administrator, account, secret=secret)


@router.post("/{account_id}/tokens/{token_id}/revocation")
def revoke(
    session: DbSession, _administrator: Administrator, account_id: AccountId, token_id: TokenId
) -> Response:
    """Make a token useless from now on."""
    accounts.revoke_token(session, token_id)
    return RedirectResponse(f"/desk/accounts/{account_id}", HTTPStatus.SEE_OTHER)


def _shown(
    request: Request,
    session: DbSession,
    administrator: Principal,
    account: Account,
    *,
    secret: str | None = None,
    kept: bool = False,
) -> Response:
    return page(
        request,
        "account.html",
        principal=administrator,
        status=HTTPStatus.CREATED if secret else HTTPStatus.OK,
        account=account,
        seen=AccountOut.model_validate(account).etag,
        memberships=memberships.of(session, account),
        collections=collections.listed(session, within=None, limit=200),
        role_names=list(Role),
        tokens=accounts.tokens(session, account),
        secret=secret,
        kept=kept,
    )


def _back(account_id: AccountId) -> Response:
    return RedirectResponse(f"/desk/accounts/{account_id}?kept=1", HTTPStatus.SEE_OTHER)
