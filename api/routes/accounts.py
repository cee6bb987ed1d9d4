from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Response

from api.dependencies import Administrator, DbSession, Somebody
from api.idempotency import Router
from api.paging import ById, Rows
from api.preconditions import Seen, require_etag
from api.schemas.accounts import (
    AccountIn,
    AccountOut,
    AccountPatch,
    MembershipIn,
    MembershipOut,
    NewTokenOut,
    PrincipalOut,
    ReachOut,
    TokenIn,
    TokenOut,
)
from api.schemas.base import Page
from predella.ids import AccountId, CollectionId, TokenId
from predella.models import Account, Role, Token
from predella.services import accounts, collections, memberships

router = Router(tags=["accounts"])
one = Router(prefix="/accounts/{account_id}")


def _seen(
    session: DbSession, _administrator: Administrator, account_id: AccountId, seen: Seen
) -> Account:
    """Return the account, held as it stands, if that is what the caller saw."""
    account = accounts.get(session, account_id, lock=True)
    current = AccountOut.model_validate(account)
    require_etag(seen, current.etag, current)
    return account


AsSeen = Annotated[Account, Depends(_seen)]


@router.get("/me")
def who_am_i(session: DbSession, principal: Somebody) -> PrincipalOut:
    """Show whose token this is and what it opens, and where."""
    return PrincipalOut(
        account=AccountOut.model_validate(principal.account),
        scopes=sorted(principal.scopes),
        collections=[
            ReachOut(
                collection_id=one.collection_id,
                collection=one.collection.slug,
                scopes=sorted(principal.scopes_in(one.collection_id)),
            )
            for one in memberships.of(session, principal.account)
        ],
    )


@router.get("/accounts", response_model=Page[AccountOut])
def list_accounts(session: DbSession, _administrator: Administrator, paging: ById) -> Rows[Account]:
    """List the accounts, the disabled ones among them."""
    rows = accounts.listed(session, after=paging.after, limit=paging.limit)
    return paging.page(rows, lambda row: row.id)


@router.post("/accounts", status_code=HTTPStatus.CREATED, response_model=AccountOut)
def create_account(session: DbSession, _administrator: Administrator, body: AccountIn) -> Account:
    """Open an account."""
    return accounts.add(session, name=body.name, display_name=body.display_name, roles=body.roles)


@one.get("", response_model=AccountOut)
def get_account(
    session: DbSession, _administrator: Administrator, account_id: AccountId, response: Response
) -> Account:
    """Show one account; `ETag` names this state."""
    return _tagged(accounts.get(session, account_id), response)


@one.patch("", response_model=AccountOut)
def change_account(
    session: DbSession, account: AsSeen, body: AccountPatch, response: Response
) -> Account:
    """Choose the name of an account, or the roles that it has in every collection, or both.

    Signed in or with a token, whoever uses it may do more or less at once. The last open
    account with the role admin keeps it.
    """
    if body.display_name is not None:
        accounts.rename(session, account, body.display_name)
    if body.roles is not None:
        accounts.change_roles(session, account, body.roles)
    return _tagged(account, response)


@one.get("/memberships")
def list_memberships(
    session: DbSession, _administrator: Administrator, account_id: AccountId
) -> list[MembershipOut]:
    """List the roles that an account has in single collections."""
    found = memberships.of(session, accounts.get(session, account_id))
    return [MembershipOut.of(one) for one in found]


@one.put("/memberships/{collection_id}")
def change_membership(
    session: DbSession,
    _administrator: Administrator,
    account_id: AccountId,
    collection_id: CollectionId,
    body: MembershipIn,
) -> MembershipOut:
    """Choose all the roles that an account has in this collection alone."""
    account, within = accounts.get(session, account_id), collections.get(session, collection_id)
    roles = memberships.change(session, account, within, body.roles)
    return MembershipOut(
        collection_id=within.id, collection=within.slug, roles=[Role(role) for role in roles]
    )


@one.delete("/memberships/{collection_id}", status_code=HTTPStatus.NO_CONTENT)
def end_membership(
    session: DbSession,
    _administrator: Administrator,
    account_id: AccountId,
    collection_id: CollectionId,
) -> None:
    """Take away what an account may do in this collection alone; doing it again changes nothing."""
    account, within = accounts.get(session, account_id), collections.get(session, collection_id)
    memberships.change(session, account, within, ())


@one.post("/disabling", response_model=AccountOut)
def disable_account(
    session: DbSession, _administrator: Administrator, account_id: AccountId
) -> Account:
    """Close an account for good; none of its tokens opens anything any more."""
    return accounts.disable(session, accounts.get(session, account_id))


@one.get("/tokens", response_model=Page[TokenOut])
def list_tokens(
    session: DbSession, _administrator: Administrator, account_id: AccountId, paging: ById
) -> Rows[Token]:
    """List an account's tokens, without their secrets."""
    account = accounts.get(session, account_id)
    rows = accounts.tokens(session, account, after=paging.after, limit=paging.limit)
    return paging.page(rows, lambda row: row.id)


@one.post("/tokens", status_code=HTTPStatus.CREATED)
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


router.include_router(one)


def _tagged(account: Account, response: Response) -> Account:
    response.headers["ETag"] = AccountOut.model_validate(account).etag
    return account
