from http import HTTPStatus
from typing import Annotated

from fastapi import Depends

from api.dependencies import Administrator, DbSession, identified
from api.idempotency import Router
from api.paging import ById, Rows
from api.schemas.accounts import (
    AccountIn,
    AccountOut,
    NewTokenOut,
    PrincipalOut,
    TokenIn,
    TokenOut,
)
from api.schemas.base import Page
from predella.ids import AccountId, TokenId
from predella.models import Account, Token
from predella.services import accounts
from predella.services.accounts import Principal

router = Router(tags=["accounts"])


@router.get("/me")
def who_am_i(principal: Annotated[Principal, Depends(identified)]) -> PrincipalOut:
    """Show whose token this is and what it opens."""
    account = AccountOut.model_validate(principal.account)
    return PrincipalOut(account=account, scopes=sorted(principal.scopes))


@router.get("/accounts", response_model=Page[AccountOut])
def list_accounts(session: DbSession, _administrator: Administrator, paging: ById) -> Rows[Account]:
    """List the accounts, the disabled ones among them."""
    rows = accounts.listed(session, after=paging.after, limit=paging.limit)
    return paging.page(rows, lambda row: row.id)


@router.post("/accounts", status_code=HTTPStatus.CREATED, response_model=AccountOut)
def create_account(session: DbSession, _administrator: Administrator, body: AccountIn) -> Account:
    """Open an account."""
    return accounts.add(session, name=body.name, display_name=body.display_name, roles=body.roles)


@router.get("/accounts/{account_id}", response_model=AccountOut)
def get_account(
    session: DbSession, _administrator: Administrator, account_id: AccountId
) -> Account:
    """Show one account."""
    return accounts.get(session, account_id)


@router.post("/accounts/{account_id}/disabling", response_model=AccountOut)
def disable_account(
    session: DbSession, _administrator: Administrator, account_id: AccountId
) -> Account:
    """Close an account for good; none of its tokens opens anything any more."""
    return accounts.disable(session, accounts.get(session, account_id))


@router.get("/accounts/{account_id}/tokens", response_model=Page[TokenOut])
def list_tokens(
    session: DbSession, _administrator: Administrator, account_id: AccountId, paging: ById
) -> Rows[Token]:
    """List an account's tokens, without their secrets."""
    account = accounts.get(session, account_id)
    rows = accounts.tokens(session, account, after=paging.after, limit=paging.limit)
    return paging.page(rows, lambda row: row.id)


@router.post("/accounts/{account_id}/tokens", status_code=HTTPStatus.CREATED)
def create_token(
    session: DbSession, _administrator: Administrator, account_id: AccountId, body: TokenIn
) -> NewTokenOut:
    """Make a token; its secret is in this answer and in no other."""
    token, secret = accounts.issue_token(
        session,
        accounts.get(session, account_id),
        name=body.name,
        scopes=body.scopes,
        expires_at=body.expires_at,
    )
    return NewTokenOut(**TokenOut.model_validate(token).model_dump(), secret=secret)


@router.delete("/tokens/{token_id}", response_model=TokenOut)
def revoke_token(session: DbSession, _administrator: Administrator, token_id: TokenId) -> Token:
    """Make a token useless from now on; it stays in the list."""
    return accounts.revoke_token(session, token_id)
